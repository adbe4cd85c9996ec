//! Reading a page by a model that sees: one image in, its text out, without a schema. A page that fails is for the caller to
//! ask for again, so nothing is asked twice here but what the provider failed to do.

use std::time::Instant;

use workflow::Usage;

use crate::{
    Agents, CallError, CallFailure, Misfit,
    provider::{ChatMessage, Completion, CompletionEnd, ModelRequest},
};

/// How calls that read a page are named in the log, and in errors.
pub const PAGE_READER: &str = "page_reader";

const PROMPT: &str = include_str!("../prompts/page_reader.md");

/// What the model says of a page without text.
const BLANK: &str = "[blank]";

/// What stands on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct PageText {
    /// The text as plain Markdown; empty when the page has none.
    pub text: String,
    /// What it cost; its `model` is the one that read.
    pub usage: Usage,
}

impl Agents {
    /// Reads the text of one page from its image, a PNG of at most 3.75 MB and 8,000 pixels a side, which is what each
    /// provider takes (the narrowest is [Bedrock](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html)).
    ///
    /// # Errors
    /// [`CallError`]: out of time, the provider failing or refusing, a page that it would not read or whose text was longer
    /// than its answer may be, or a provider that reads no images at all, as the offline one.
    pub async fn read_page(
        &self,
        image: &[u8],
        model: Option<&str>,
        deadline: Instant,
    ) -> Result<PageText, CallError> {
        let name = self.model(model);
        let request = ModelRequest {
            asked: PAGE_READER,
            name,
            model: self.called(name),
            messages: vec![
                ChatMessage::System(PROMPT.to_owned()),
                ChatMessage::Page(image.to_vec()),
            ],
            schema: None,
            brief: None,
            paper: None,
        };
        let failed = |failure, usages: Vec<Usage>| CallError {
            asked: PAGE_READER,
            failure,
            attempts: u32::from(!usages.is_empty()),
            usages,
        };
        let completion = match self.complete_before(deadline, &request).await {
            Ok(completion) => completion,
            Err(failure) => return Err(failed(failure, Vec::new())),
        };
        let usage = self.usage_of(&request, &completion);
        match read(&completion) {
            Ok(text) => Ok(PageText { text, usage }),
            Err(misfit) => Err(failed(CallFailure::Misfit(misfit), vec![usage])),
        }
    }
}

/// The page's text. A model that says nothing has found nothing.
fn read(completion: &Completion) -> Result<String, Misfit> {
    match completion.end {
        CompletionEnd::CutByLength => return Err(Misfit::Cut),
        CompletionEnd::Refused => return Err(Misfit::Refused),
        CompletionEnd::Finished => {}
    }
    let text = without_fence(completion.text.trim());
    Ok(if text == BLANK { "" } else { text }.to_owned())
}

/// The text inside a fence around the whole, which models like to put there all the same.
fn without_fence(text: &str) -> &str {
    let inside = text
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"))
        .and_then(|rest| rest.split_once('\n'));
    match inside {
        Some((language, inside))
            if language.chars().all(char::is_alphanumeric) && !inside.contains("```") =>
        {
            inside.trim()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, end: CompletionEnd) -> Completion {
        Completion {
            text: text.to_owned(),
            end,
            tokens: None,
        }
    }

    #[test]
    fn a_page_is_what_was_said_without_a_fence_around_it_and_nothing_where_there_is_nothing() {
        for (text, page) in [
            ("# Tides\n\nThe moon pulls.\n", "# Tides\n\nThe moon pulls."),
            ("```markdown\n# Tides\n```", "# Tides"),
            (
                "```\na\n```\nand\n```\nb\n```",
                "```\na\n```\nand\n```\nb\n```",
            ),
            ("[blank]", ""),
            (" \n", ""),
        ] {
            assert_eq!(
                read(&said(text, CompletionEnd::Finished)),
                Ok(page.to_owned())
            );
        }
        assert_eq!(
            read(&said("# Ti", CompletionEnd::CutByLength)),
            Err(Misfit::Cut)
        );
        assert_eq!(
            read(&said("", CompletionEnd::Refused)),
            Err(Misfit::Refused)
        );
    }
}
