//! What a provider is asked and what it gives back. Two providers answer: an OpenAI-compatible service and the
//! offline engine; both through the same request, so that both are held to the same schemas.

use serde_json::Value;

use crate::{Agent, Brief, ProviderError, offline::Offline, openai::OpenAi};

/// One request to a model.
pub(crate) struct Request<'a> {
    /// Who is asked, for the log: an agent's id, or that of the page reader.
    pub asked: &'static str,
    pub model: &'a str,
    /// The system prompt first, then question and answers in turn.
    pub messages: Vec<Message>,
    /// The form of the answer, in the part of JSON Schema that providers understand; without one, plain text.
    pub schema: Option<Value>,
    /// What `messages` was written from, if from a brief; the offline engine reads this instead.
    pub brief: Option<(Agent, &'a Brief)>,
}

/// One message of the conversation with a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    System(String),
    User(String),
    Assistant(String),
    /// The user shows the image of a page, a PNG.
    Page(Vec<u8>),
}

impl Message {
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
    pub end: End,
    /// Tokens in and out, where the provider counts them.
    pub tokens: Option<(u64, u64)>,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It had said all.
    Finished,
    /// It reached the limit of its length.
    CutByLength,
    /// It, or a filter, would not answer.
    Refused,
}

/// Who answers.
#[derive(Debug)]
pub(crate) enum Provider {
    Offline(Offline),
    OpenAi(OpenAi),
}

impl Provider {
    /// Asks once.
    pub(crate) async fn complete(
        &self,
        request: &Request<'_>,
    ) -> Result<Completion, ProviderError> {
        match self {
            Self::Offline(engine) => engine.complete(request).await,
            Self::OpenAi(client) => client.complete(request).await,
        }
    }
}
