//! The provider for [Anthropic's Messages API](https://platform.claude.com/docs/en/api/messages).
//!
//! Answers are requested with `output_config.format`, the API's structured output, which models
//! support from Claude 4.5 on. A forced tool, the older way, is refused by models that always
//! think.

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use serde_json::{Value, json};

use super::{
    reply::{text_of, usage_in},
    transport::Transport,
};
use crate::{
    ProviderError,
    provider::{
        Answering, ChatMessage, Completion, CompletionEnd, FailedReply, ModelRequest, Provider,
    },
};

/// Anthropic's own service.
pub(crate) const ANTHROPIC: &str = "https://api.anthropic.com";

const VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

/// A client of the Messages API.
#[derive(Debug)]
pub(crate) struct Anthropic {
    pub base_url: String,
    pub transport: Transport,
    pub max_tokens: u32,
}

impl Anthropic {
    async fn ask(&self, request: &ModelRequest<'_>) -> Result<Completion, FailedReply> {
        let http = self.transport.http.client()?;
        let post = http
            .post(format!("{}/v1/messages", self.base_url))
            .header(VERSION.0, VERSION.1)
            .json(&self.wire_request(request))
            .build()
            .map_err(|error| ProviderError::Request(Box::new(error.without_url())))?;
        completion(&self.transport.send(post).await?)
    }

    fn wire_request(&self, request: &ModelRequest<'_>) -> Value {
        let (system, conversation) = request.system_and_conversation();
        let mut wire = json!({
            "model": request.model,
            "max_tokens": self.max_tokens,
            "system": system,
            "messages": conversation.map(wire_message).collect::<Vec<_>>(),
        });
        if let Some(schema) = &request.schema {
            wire["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
        }
        wire
    }
}

impl Provider for Anthropic {
    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>) -> Answering<'a> {
        Box::pin(self.ask(request))
    }
}

fn wire_message(message: &ChatMessage) -> Value {
    match message {
        ChatMessage::Assistant(text) => json!({"role": "assistant", "content": text}),
        ChatMessage::User(text) | ChatMessage::System(text) => {
            json!({"role": "user", "content": text})
        }
        ChatMessage::Page(png) => {
            let data = BASE64.encode(png);
            let source = json!({"type": "base64", "media_type": "image/png", "data": data});
            json!({"role": "user", "content": [{"type": "image", "source": source}]})
        }
    }
}

/// The text blocks of a message. Blocks without text (thoughts) are ignored.
fn completion(reply: &Value) -> Result<Completion, FailedReply> {
    let usage = usage_in(reply);
    if !matches!(reply["content"], Value::Array(_) | Value::String(_)) {
        return Err(FailedReply::unreadable(usage));
    }
    let end = match reply["stop_reason"].as_str() {
        Some("max_tokens" | "model_context_window_exceeded") => CompletionEnd::CutByLength,
        Some("refusal") => CompletionEnd::Refused,
        _ => CompletionEnd::Finished,
    };
    let text = text_of(&reply["content"]);
    Ok(Completion { text, end, usage })
}
