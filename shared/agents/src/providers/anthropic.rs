//! The provider for [Anthropic's Messages API](https://platform.claude.com/docs/en/api/messages).
//!
//! Answers are requested with `output_config.format`, the API's structured output, which models
//! support from Claude 4.5 on. A forced tool, the older way, is refused by models that always
//! think.

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{Value, json};

use super::transport::Transport;
use crate::{
    ProviderError,
    provider::{Answering, ChatMessage, Completion, CompletionEnd, ModelRequest, Provider},
};

/// Anthropic's own service.
pub(crate) const ANTHROPIC: &str = "https://api.anthropic.com";

const VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

/// The API requires a bound for each answer, including thoughts. Every current model allows this
/// value, and longer answers would hardly finish within the timeout.
const MAX_TOKENS: u32 = 16_000;

/// A client of the Messages API.
#[derive(Debug)]
pub(crate) struct Anthropic {
    pub base_url: String,
    pub transport: Transport,
}

impl Anthropic {
    async fn ask(&self, request: &ModelRequest<'_>) -> Result<Completion, ProviderError> {
        let http = self.transport.http.client()?;
        let post = http
            .post(format!("{}/v1/messages", self.base_url))
            .header(VERSION.0, VERSION.1)
            .json(&wire_request(request))
            .build()
            .map_err(|error| ProviderError::Request(Box::new(error.without_url())))?;
        let body = self.transport.send(post).await?;
        let reply: AnthropicReply =
            serde_json::from_slice(&body).map_err(|_| ProviderError::Garbled)?;
        Ok(reply.into_completion())
    }
}

impl Provider for Anthropic {
    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>) -> Answering<'a> {
        Box::pin(self.ask(request))
    }
}

fn wire_request(request: &ModelRequest<'_>) -> Value {
    let (system, conversation) = request.system_and_conversation();
    let mut wire = json!({
        "model": request.model,
        "max_tokens": MAX_TOKENS,
        "system": system,
        "messages": conversation.map(wire_message).collect::<Vec<_>>(),
    });
    if let Some(schema) = &request.schema {
        wire["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
    }
    wire
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

/// The fields of a reply that are used.
#[derive(Deserialize)]
struct AnthropicReply {
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<AnthropicUsage>,
}

/// A content block. Blocks without text (thoughts) are ignored.
#[derive(Deserialize)]
struct Block {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct AnthropicUsage {
    input_tokens: u64,
    output_tokens: u64,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
}

impl AnthropicReply {
    fn into_completion(self) -> Completion {
        let end = match self.stop_reason.as_deref() {
            Some("max_tokens" | "model_context_window_exceeded") => CompletionEnd::CutByLength,
            Some("refusal") => CompletionEnd::Refused,
            _ => CompletionEnd::Finished,
        };
        Completion {
            text: self.content.into_iter().map(|block| block.text).collect(),
            end,
            tokens: self.usage.map(AnthropicUsage::in_and_out),
        }
    }
}

impl AnthropicUsage {
    /// Tokens read from or written to a cache are part of the prompt.
    fn in_and_out(self) -> (u64, u64) {
        let cached = [
            self.cache_creation_input_tokens,
            self.cache_read_input_tokens,
        ];
        let cached: u64 = cached.into_iter().flatten().sum();
        (self.input_tokens + cached, self.output_tokens)
    }
}
