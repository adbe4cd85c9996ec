//! What a provider is asked and what it gives back. Every provider answers the same request, so that all are held to the
//! same schemas, and a further one is one more implementation of [`Provider`].

use std::{fmt, future::Future, pin::Pin};

use serde_json::Value;

use workflow::Brief;

use crate::{Agent, Paper, ProviderError};

/// Somebody who answers.
pub(crate) trait Provider: fmt::Debug + Send + Sync {
    /// Asks once. How long that may take, and whether it is tried again, is the caller's to say.
    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>) -> Answering<'a>;
}

/// An answer under way.
pub(crate) type Answering<'a> =
    Pin<Box<dyn Future<Output = Result<Completion, ProviderError>> + Send + 'a>>;

/// One request to a model.
pub(crate) struct ModelRequest<'a> {
    /// Who is asked, for the log: an agent's id, or that of the page reader.
    pub asked: &'static str,
    /// The model, as events and ledgers name it.
    pub name: &'a str,
    /// The model, as its provider names it.
    pub model: &'a str,
    /// The system prompt first, then question and answers in turn.
    pub messages: Vec<ChatMessage>,
    /// The form of the answer, in the part of JSON Schema that providers understand; without one, plain text.
    pub schema: Option<Value>,
    /// What `messages` was written from, if from a brief; the offline engine reads this instead.
    pub brief: Option<(Agent, &'a Brief)>,
    /// The paper to summarise, with a brief for the summarizer.
    pub paper: Option<&'a Paper>,
}

impl ModelRequest<'_> {
    /// The system prompt, and the rest, for services that want them apart.
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
    /// The user shows the image of a page, a PNG.
    Page(Vec<u8>),
}

impl ChatMessage {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::System(text) | Self::User(text) | Self::Assistant(text) => text,
            Self::Page(_) => "",
        }
    }
}

/// What a model gave back.
#[derive(Debug)]
pub(crate) struct Completion {
    pub text: String,
    pub end: CompletionEnd,
    /// Tokens in and out, where the provider counts them.
    pub tokens: Option<(u64, u64)>,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompletionEnd {
    /// It had said all.
    Finished,
    /// It reached the limit of its length.
    CutByLength,
    /// It, or a filter, would not answer.
    Refused,
}
