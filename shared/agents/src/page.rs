//! Reads the text of a page image with a vision model. The request has one image and no schema. An
//! invalid answer is not requested again, because the caller decides about that; only provider
//! failures are retried.

use std::time::Instant;

use workflow::{AgentRequest, Usage};

use crate::{
    Agents, CallError, CallFailure, Misfit,
    answer_text::markdown,
    provider::{ChatMessage, Completion, CompletionEnd, ModelRequest},
    spending::Spending,
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
    /// The model that read the page.
    pub model: String,
    /// The usage of every reply.
    pub usages: Vec<Usage>,
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
        call: &AgentRequest,
        deadline: Instant,
    ) -> Result<PageAnswer, CallError> {
        let name = self.model(call.model.as_deref());
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
        let mut spending = Spending::of(call);
        let completed = self.complete_before(deadline, &request, &mut spending);
        let (failure, attempts) = match completed.await {
            Ok(completion) => match read(&completion) {
                Ok(text) => {
                    return Ok(PageAnswer {
                        text,
                        model: name.to_owned(),
                        usages: spending.usages,
                    });
                }
                Err(misfit) => (CallFailure::Misfit(misfit), 1),
            },
            Err(failure) => (failure, 0),
        };
        Err(spending.error(PAGE_READER, failure, attempts))
    }
}

/// The text of the page. An empty answer means a page without text.
fn read(completion: &Completion) -> Result<String, Misfit> {
    match completion.end {
        CompletionEnd::CutByLength => return Err(Misfit::Cut),
        CompletionEnd::Refused => return Err(Misfit::Refused),
        CompletionEnd::OnlyThoughts => return Err(Misfit::Empty),
        CompletionEnd::Finished => {}
    }
    let text = markdown(&completion.text);
    Ok(if text == BLANK { "" } else { text }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::ReportedUsage;

    fn said(text: &str, end: CompletionEnd) -> Completion {
        Completion {
            text: text.to_owned(),
            end,
            usage: ReportedUsage::default(),
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
