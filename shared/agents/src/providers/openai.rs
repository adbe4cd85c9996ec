//! The provider for services with OpenAI's chat completions API, with `async-openai`.
//!
//! The crate's own retries ignore deadlines, and its errors omit headers, so requests use this
//! crate's transport. Replies are parsed into the few fields that are needed, because compatible
//! servers differ in the others.

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
use http::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::Value;

use super::transport::Transport;
use crate::{
    ProviderError,
    provider::{Answering, ChatMessage, Completion, CompletionEnd, ModelRequest, Provider},
};

/// OpenAI's own service.
pub(crate) const OPENAI: &str = "https://api.openai.com/v1";

/// A client of one service.
#[derive(Debug)]
pub(crate) struct OpenAi {
    base_url: String,
    transport: Arc<Transport>,
    client: OnceLock<Client<OpenAIConfig>>,
}

impl OpenAi {
    /// A client that connects at its first use.
    pub(crate) fn new(base_url: String, transport: Transport) -> Self {
        Self {
            base_url,
            transport: Arc::new(transport),
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

    async fn ask(&self, request: &ModelRequest<'_>) -> Result<Completion, ProviderError> {
        let chat = self.client()?.chat();
        let reply: Value = chat
            .create_byot(wire_request(request))
            .await
            .map_err(ours)?;
        let reply = OpenAiReply::deserialize(reply).map_err(|_| ProviderError::Garbled)?;
        reply.into_completion()
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
        Ok(body) => Ok(http::Response::new(body).into()),
        Err(error) => Err(OpenAIError::Boxed(Box::new(error))),
    }
}

fn ours(error: OpenAIError) -> ProviderError {
    match error {
        OpenAIError::Boxed(error) => match error.downcast::<ProviderError>() {
            Ok(ours) => *ours,
            Err(other) => ProviderError::Request(other),
        },
        other => ProviderError::Request(Box::new(other)),
    }
}

fn wire_request(request: &ModelRequest<'_>) -> CreateChatCompletionRequest {
    let format = |schema: &Value| ResponseFormat::JsonSchema {
        json_schema: ResponseFormatJsonSchema {
            name: request.asked.to_owned(),
            schema: schema.clone(),
            strict: Some(true),
            description: None,
        },
    };
    CreateChatCompletionRequest {
        model: request.model.to_owned(),
        messages: request.messages.iter().map(wire_message).collect(),
        response_format: request.schema.as_ref().map(format),
        ..Default::default()
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

/// The fields of a chat completion that are used.
#[derive(Deserialize)]
struct OpenAiReply {
    choices: Vec<Choice>,
    usage: Option<OpenAiUsage>,
}

#[derive(Deserialize)]
struct Choice {
    message: OpenAiMessage,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct OpenAiMessage {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct OpenAiUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl OpenAiReply {
    fn into_completion(self) -> Result<Completion, ProviderError> {
        let choice = self
            .choices
            .into_iter()
            .next()
            .ok_or(ProviderError::Garbled)?;
        let refused = choice
            .message
            .refusal
            .is_some_and(|refusal| !refusal.is_empty());
        let end = match choice.finish_reason.as_deref() {
            Some("length") => CompletionEnd::CutByLength,
            Some("content_filter") => CompletionEnd::Refused,
            _ if refused => CompletionEnd::Refused,
            _ => CompletionEnd::Finished,
        };
        Ok(Completion {
            text: choice.message.content.unwrap_or_default(),
            end,
            tokens: self
                .usage
                .map(|usage| (usage.prompt_tokens, usage.completion_tokens)),
        })
    }
}
