//! The request to a provider and its result. Every provider gets the same request, so all answers
//! are validated against the same schemas. A new provider implements [`Provider`].

use std::{fmt, future::Future, pin::Pin};

use serde_json::Value;

use workflow::Brief;

use crate::{
    Agent, PaperBrief, ProviderError,
    answer_text::without_thoughts,
    usage::{ReportedUsage, estimate_tokens},
};

/// The most tokens that Anthropic's models see of a page's image
/// (<https://platform.claude.com/docs/en/build-with-claude/vision>). Others count about as many.
const TOKENS_OF_A_PAGE: u64 = 1_600;

/// A service or engine that answers model requests.
pub(crate) trait Provider: fmt::Debug + Send + Sync {
    /// Makes one request. The caller applies the timeout and retries.
    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>) -> Answering<'a>;
}

/// The pending answer.
pub(crate) type Answering<'a> =
    Pin<Box<dyn Future<Output = Result<Completion, FailedReply>> + Send + 'a>>;

/// One request to a model.
pub(crate) struct ModelRequest<'a> {
    /// What is called, for the log: an agent's id or that of the page reader.
    pub asked: &'static str,
    /// The model's name in events and ledgers.
    pub name: &'a str,
    /// The model's name at its provider.
    pub model: &'a str,
    /// The system prompt first, then alternating questions and answers.
    pub messages: Vec<ChatMessage>,
    /// The form of the answer, limited to the keywords that providers support; plain text without
    /// one.
    pub schema: Option<Value>,
    /// The brief from which `messages` was built, if any. The offline engine reads it instead of
    /// the messages.
    pub brief: Option<(Agent, &'a Brief)>,
    /// The paper to summarise, in addition to a summarizer's brief.
    pub paper: Option<&'a PaperBrief>,
}

impl ModelRequest<'_> {
    /// The system prompt and the other messages, for services that take them separately.
    pub(crate) fn system_and_conversation(&self) -> (&str, impl Iterator<Item = &ChatMessage>) {
        let is_system = |message: &&ChatMessage| matches!(message, ChatMessage::System(_));
        let system = self.messages.iter().find(is_system);
        let rest = self
            .messages
            .iter()
            .filter(move |message| !is_system(message));
        (system.map_or("", ChatMessage::text), rest)
    }
}

/// One message of the conversation with a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChatMessage {
    System(String),
    User(String),
    Assistant(String),
    /// The image of a page from the user, a PNG.
    Page(Vec<u8>),
}

impl ChatMessage {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::System(text) | Self::User(text) | Self::Assistant(text) => text,
            Self::Page(_) => "",
        }
    }

    /// The tokens of the message, if no service counts them.
    pub(crate) fn estimated_tokens(&self) -> u64 {
        match self {
            Self::Page(_) => TOKENS_OF_A_PAGE,
            message => estimate_tokens(message.text()),
        }
    }
}

/// A model's response.
#[derive(Debug)]
pub(crate) struct Completion {
    pub text: String,
    pub end: CompletionEnd,
    pub usage: ReportedUsage,
}

impl Completion {
    /// The response without the model's thoughts, which no caller sees.
    pub(crate) fn without_thoughts(self) -> Self {
        let text = without_thoughts(&self.text);
        let only_thoughts = text.is_empty() && !self.text.trim().is_empty();
        let end = match self.end {
            CompletionEnd::Finished if only_thoughts => CompletionEnd::OnlyThoughts,
            end => end,
        };
        Self {
            text: text.to_owned(),
            end,
            usage: self.usage,
        }
    }
}

/// A request without a response of the model, and what it cost all the same.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct FailedReply {
    pub error: ProviderError,
    /// The usage to count; none if nothing was billed, as far as is known.
    pub usage: Option<ReportedUsage>,
}

impl FailedReply {
    /// An error in a reply, which was billed if the reply reports a usage.
    pub(crate) fn reported(error: ProviderError, usage: ReportedUsage) -> Self {
        Self {
            error,
            usage: Some(usage).filter(|usage| usage.is_counted()),
        }
    }

    /// A model's reply in no known form, which was billed even if it reports no usage.
    pub(crate) fn unreadable(usage: ReportedUsage) -> Self {
        Self {
            error: ProviderError::Garbled,
            usage: Some(usage),
        }
    }
}

impl From<ProviderError> for FailedReply {
    fn from(error: ProviderError) -> Self {
        Self { error, usage: None }
    }
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompletionEnd {
    /// The answer is complete.
    Finished,
    /// The model reached its output limit.
    CutByLength,
    /// The model or a content filter refused to answer.
    Refused,
    /// The model thought and said nothing.
    OnlyThoughts,
}
