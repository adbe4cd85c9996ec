//! The provider for services with OpenAI's chat completions API, with `async-openai`.
//!
//! The crate's own retries ignore deadlines, and its errors omit headers, so requests use this
//! crate's transport. Only the fields that are needed are read, because compatible servers differ
//! in the others.

use std::sync::{Arc, OnceLock};

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    middleware::HttpRequestFactory,
    types::chat::{
        ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage,
        ChatCompletionRequestMessageContentPartImage, ChatCompletionRequestSystemMessage,
        ChatCompletionRequestUserMessage, ChatCompletionRequestUserMessageContent,
        CreateChatCompletionRequest, ImageUrl, ResponseFormat, ResponseFormatJsonSchema,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use http::{HeaderMap, header::AUTHORIZATION};
use reqwest::Url;
use serde_json::Value;

use super::{
    reply::{error_in, failure, text_of, usage_in},
    transport::Transport,
};
use crate::{
    ProviderError,
    provider::{
        Answering, ChatMessage, Completion, CompletionEnd, FailedReply, ModelRequest, Provider,
    },
};

/// OpenAI's own service.
pub(crate) const OPENAI: &str = "https://api.openai.com/v1";

/// A client of one service.
#[derive(Debug)]
pub(crate) struct OpenAi {
    base_url: String,
    transport: Arc<Transport>,
    max_tokens: u32,
    limit_name: LimitName,
    client: OnceLock<Client<OpenAIConfig>>,
}

/// The field that limits an answer. OpenAI's reasoning models refuse `max_tokens`. Others, such as
/// Mistral's service, refuse the newer name, or ignore it.
#[derive(Clone, Copy, Debug)]
enum LimitName {
    MaxTokens,
    MaxCompletionTokens,
}

impl OpenAi {
    /// A client that connects at its first use.
    pub(crate) fn new(base_url: String, transport: Transport, max_tokens: u32) -> Self {
        let url = Url::parse(&base_url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let is_openai = host == "api.openai.com" || host.ends_with(".azure.com");
        Self {
            limit_name: match is_openai {
                true => LimitName::MaxCompletionTokens,
                false => LimitName::MaxTokens,
            },
            base_url,
            transport: Arc::new(transport),
            max_tokens,
            client: OnceLock::new(),
        }
    }

    fn client(&self) -> Result<&Client<OpenAIConfig>, ProviderError> {
        let http = self.transport.http.client()?;
        Ok(self.client.get_or_init(|| {
            // The transport adds the key.
            let settings = OpenAIConfig::new()
                .with_api_base(&self.base_url)
                .with_api_key("")
                .with_org_id("")
                .with_project_id("");
            let transport = self.transport.clone();
            let service = tower::service_fn(move |request| send(transport.clone(), request));
            Client::build(http.clone(), settings).with_http_service(service)
        }))
    }

    async fn ask(&self, request: &ModelRequest<'_>) -> Result<Completion, FailedReply> {
        let chat = self.client()?.chat();
        let wire_request = self.wire_request(request);
        let reply: Value = chat.create_byot(wire_request).await.map_err(ours)?;
        completion(&reply)
    }

    fn wire_request(&self, request: &ModelRequest<'_>) -> CreateChatCompletionRequest {
        let format = |schema: &Value| ResponseFormat::JsonSchema {
            json_schema: ResponseFormatJsonSchema {
                name: request.asked.to_owned(),
                schema: schema.clone(),
                strict: Some(true),
                description: None,
            },
        };
        let mut wire = CreateChatCompletionRequest {
            model: request.model.to_owned(),
            messages: request.messages.iter().map(wire_message).collect(),
            response_format: request.schema.as_ref().map(format),
            ..Default::default()
        };
        match self.limit_name {
            LimitName::MaxCompletionTokens => wire.max_completion_tokens = Some(self.max_tokens),
            #[allow(deprecated, reason = "the only name that most compatible servers know")]
            LimitName::MaxTokens => wire.max_tokens = Some(self.max_tokens),
        }
        wire
    }
}

impl Provider for OpenAi {
    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>) -> Answering<'a> {
        Box::pin(self.ask(request))
    }
}

async fn send(
    transport: Arc<Transport>,
    request: HttpRequestFactory,
) -> Result<reqwest::Response, OpenAIError> {
    let mut request = request.build().await?;
    request.headers_mut().remove(AUTHORIZATION);
    match transport.send(request).await {
        Ok(reply) => Ok(http::Response::new(reply.to_string()).into()),
        Err(error) => Err(OpenAIError::Boxed(Box::new(error))),
    }
}

fn ours(error: OpenAIError) -> FailedReply {
    match error {
        OpenAIError::Boxed(error) => match error.downcast::<FailedReply>() {
            Ok(ours) => *ours,
            Err(other) => ProviderError::Request(other).into(),
        },
        other => ProviderError::Request(Box::new(other)).into(),
    }
}

fn wire_message(message: &ChatMessage) -> ChatCompletionRequestMessage {
    match message {
        ChatMessage::System(text) => ChatCompletionRequestSystemMessage::from(text.as_str()).into(),
        ChatMessage::User(text) => ChatCompletionRequestUserMessage::from(text.as_str()).into(),
        ChatMessage::Assistant(text) => {
            ChatCompletionRequestAssistantMessage::from(text.as_str()).into()
        }
        ChatMessage::Page(png) => {
            let url = format!("data:image/png;base64,{}", BASE64.encode(png));
            let image = ImageUrl { url, detail: None };
            let parts = vec![ChatCompletionRequestMessageContentPartImage::from(image).into()];
            let content = ChatCompletionRequestUserMessageContent::Array(parts);
            ChatCompletionRequestUserMessage::from(content).into()
        }
    }
}

/// The first choice of a chat completion. It may have ended in an error.
fn completion(reply: &Value) -> Result<Completion, FailedReply> {
    let (choice, usage) = (&reply["choices"][0], usage_in(reply));
    let (message, finish) = (&choice["message"], choice["finish_reason"].as_str());
    let error = error_in(choice).or_else(|| (finish? == "error").then_some(&Value::Null));
    if let Some(error) = error {
        let error = failure(None, error, &HeaderMap::new());
        return Err(FailedReply::reported(error, usage));
    }
    if !message.is_object() && !choice["text"].is_string() {
        return Err(FailedReply::unreadable(usage));
    }
    let mut text = text_of(&message["content"]);
    if text.is_empty() {
        text = text_of(&choice["text"]);
    }
    let refusal = message["refusal"].as_str();
    let end = match finish {
        Some("length" | "max_tokens") => CompletionEnd::CutByLength,
        Some("content_filter" | "refusal") => CompletionEnd::Refused,
        _ if refusal.is_some_and(|refusal| !refusal.is_empty()) => CompletionEnd::Refused,
        _ => CompletionEnd::Finished,
    };
    Ok(Completion { text, end, usage })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::providers::transport::{Http, KeyHeader};

    #[test]
    fn each_service_gets_the_limit_under_the_name_that_it_knows() {
        for (url, name, other) in [
            (
                "https://api.openai.com/v1",
                "max_completion_tokens",
                "max_tokens",
            ),
            (
                "https://ours.openai.azure.com/openai/v1",
                "max_completion_tokens",
                "max_tokens",
            ),
            (
                "https://api.mistral.ai/v1",
                "max_tokens",
                "max_completion_tokens",
            ),
            (
                "http://localhost:11434/v1",
                "max_tokens",
                "max_completion_tokens",
            ),
        ] {
            let transport = Transport {
                http: Http::default(),
                keys: None,
                key_header: KeyHeader::Bearer,
            };
            let request = ModelRequest {
                asked: "researcher",
                name: "m",
                model: "m",
                messages: Vec::new(),
                schema: None,
                brief: None,
                paper: None,
            };
            let service = OpenAi::new(url.to_owned(), transport, 77);
            let wire = serde_json::to_value(service.wire_request(&request)).unwrap();
            assert_eq!(
                (&wire[name], &wire[other]),
                (&json!(77), &Value::Null),
                "{url}"
            );
        }
    }
}
