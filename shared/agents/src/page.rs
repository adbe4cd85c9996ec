//! Reads the text of a page image with a vision model. The request has one image and no schema. An
//! invalid answer is not requested again, because the caller decides about that; only provider
//! failures are retried.

use std::time::Instant;

use workflow::Usage;

use crate::{
    Agents, CallError, CallFailure, Misfit,
    provider::{ChatMessage, Completion, CompletionEnd, ModelRequest},
};

/// The name of page-reading calls in the log and in errors.
pub const PAGE_READER: &str = "page_reader";

const PROMPT: &str = include_str!("../prompts/page_reader.md");

/// The model's answer for a page without text.
const BLANK: &str = "[blank]";

/// The content of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct PageAnswer {
    /// The text as plain Markdown; empty when the page has none.
    pub text: String,
    /// The usage; its `model` is the one that read the page.
    pub usage: Usage,
}

impl Agents {
    /// Reads the text of one page from its image, a PNG of at most 3.75 MB and 8,000 pixels per
    /// side. All providers accept this size; the strictest is
    /// [Bedrock](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html).
    ///
    /// # Errors
    /// [`CallError`]: not enough time, a provider that fails or refuses, a refused page, a text
    /// above the output limit, or a provider that reads no images, such as the offline engine.
    pub async fn read_page(
        &self,
        image: &[u8],
        model: Option<&str>,
        deadline: Instant,
    ) -> Result<PageAnswer, CallError> {
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
            Ok(text) => Ok(PageAnswer { text, usage }),
            Err(misfit) => Err(failed(CallFailure::Misfit(misfit), vec![usage])),
        }
    }
}

/// The text of the page. An empty answer means a page without text.
fn read(completion: &Completion) -> Result<String, Misfit> {
    match completion.end {
        CompletionEnd::CutByLength => return Err(Misfit::Cut),
        CompletionEnd::Refused => return Err(Misfit::Refused),
        CompletionEnd::Finished => {}
    }
    let text = without_fence(completion.text.trim());
    Ok(if text == BLANK { "" } else { text }.to_owned())
}

/// The text without an enclosing fence, which models often add despite the prompt.
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
    fn a_page_is_the_answer_without_its_fence_or_empty() {
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
