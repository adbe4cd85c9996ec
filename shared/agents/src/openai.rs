//! The provider for everything that speaks OpenAI's chat completions, over `async-openai`.
//!
//! The crate's own retries know no deadline, and its errors know no headers. So requests go through a transport of
//! ours, which sends once and turns every reply but a well-formed success into a [`ProviderError`]. That also keeps
//! replies out of the crate's log lines. Replies are read into the few fields that we need, because the compatible
//! servers differ in all others.

use std::time::Duration;

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
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};
use jiff::{Timestamp, fmt::rfc2822};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::{
    ConfigError, ModelConfig, ProviderError, Secret,
    provider::{Completion, End, Message, Request},
};

const OPENAI: &str = "https://api.openai.com/v1";

/// The longest reply that is read, in bytes: far above any model's longest answer, far below a function's memory.
const MAX_REPLY: usize = 8 * 1024 * 1024;

/// A client of one service.
#[derive(Debug)]
pub(crate) struct OpenAi {
    client: Client<OpenAIConfig>,
}

impl OpenAi {
    pub(crate) fn new(config: &ModelConfig) -> Result<Self, ConfigError> {
        let base_url = base_url(config.openai_base_url.as_deref())?;
        if config.openai_api_key.is_none() && base_url == OPENAI {
            return Err(ConfigError::NoKey);
        }
        let key = config
            .openai_api_key
            .as_ref()
            .map(Secret::expose)
            .unwrap_or_default();
        // The crate panics on a key that is no header value.
        HeaderValue::from_str(key).map_err(|_| ConfigError::BadKey)?;
        let settings = OpenAIConfig::new()
            .with_api_base(base_url)
            .with_api_key(key)
            .with_org_id("")
            .with_project_id("");
        let http = reqwest::Client::builder()
            .build()
            .map_err(ConfigError::Client)?;
        let transport = tower::service_fn(move |request| send(http.clone(), request));
        Ok(Self {
            client: Client::with_config(settings).with_http_service(transport),
        })
    }

    pub(crate) async fn complete(
        &self,
        request: &Request<'_>,
    ) -> Result<Completion, ProviderError> {
        let reply: Value = self
            .client
            .chat()
            .create_byot(wire_request(request))
            .await
            .map_err(ours)?;
        let reply = Reply::deserialize(reply).map_err(|_| ProviderError::Garbled)?;
        reply.into_completion()
    }
}

fn base_url(configured: Option<&str>) -> Result<&str, ConfigError> {
    let url = configured.unwrap_or(OPENAI).trim_end_matches('/');
    let parsed = reqwest::Url::parse(url).map_err(|_| ConfigError::BadUrl)?;
    if matches!(parsed.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(ConfigError::BadUrl)
    }
}

/// Sends a request once. The body is read here too, so that one that breaks off or isn't JSON is ours to judge.
async fn send(
    http: reqwest::Client,
    request: HttpRequestFactory,
) -> Result<reqwest::Response, OpenAIError> {
    let request = request.build().await?;
    let response = http.execute(request).await.map_err(connection)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = whole(response).await?;
    if !status.is_success() {
        return Err(boxed(refusal(status.as_u16(), &headers, &body)));
    }
    if serde_json::from_slice::<IgnoredAny>(&body).is_err() {
        return Err(boxed(ProviderError::Garbled));
    }
    Ok(http::Response::new(body).into())
}

/// The whole body, of which never more than [`MAX_REPLY`] is held.
async fn whole(mut response: reqwest::Response) -> Result<Bytes, OpenAIError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(connection)? {
        if body.len() + chunk.len() > MAX_REPLY {
            return Err(boxed(ProviderError::Garbled));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn boxed(error: ProviderError) -> OpenAIError {
    OpenAIError::Boxed(Box::new(error))
}

fn connection(error: reqwest::Error) -> OpenAIError {
    // The URL may hold a host name or a path that is nobody's business.
    boxed(ProviderError::Connection(Box::new(error.without_url())))
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

/// An error's status, its short code, and the time that the service asks us to wait; not its sentences.
fn refusal(status: u16, headers: &HeaderMap, body: &Bytes) -> ProviderError {
    #[derive(Deserialize)]
    struct Body {
        error: Codes,
    }
    #[derive(Deserialize)]
    struct Codes {
        code: Option<Value>,
        r#type: Option<Value>,
    }
    let code = serde_json::from_slice::<Body>(body).ok().and_then(|body| {
        [body.error.code, body.error.r#type]
            .into_iter()
            .flatten()
            .find_map(short_code)
    });
    ProviderError::Status {
        status,
        code,
        retry_after: retry_after(headers, Timestamp::now()),
    }
}

fn short_code(value: Value) -> Option<String> {
    let code = value.as_str()?;
    let is_code = code.len() <= 64
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    is_code.then(|| code.to_owned())
}

/// `Retry-After` in either of its forms: seconds, or an HTTP date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

fn wire_request(request: &Request<'_>) -> CreateChatCompletionRequest {
    CreateChatCompletionRequest {
        model: request.model.to_owned(),
        messages: request.messages.iter().map(wire_message).collect(),
        response_format: request
            .schema
            .as_ref()
            .map(|schema| ResponseFormat::JsonSchema {
                json_schema: ResponseFormatJsonSchema {
                    name: request.asked.to_owned(),
                    schema: schema.clone(),
                    strict: Some(true),
                    description: None,
                },
            }),
        ..Default::default()
    }
}

fn wire_message(message: &Message) -> ChatCompletionRequestMessage {
    match message {
        Message::System(text) => ChatCompletionRequestSystemMessage::from(text.as_str()).into(),
        Message::User(text) => ChatCompletionRequestUserMessage::from(text.as_str()).into(),
        Message::Assistant(text) => {
            ChatCompletionRequestAssistantMessage::from(text.as_str()).into()
        }
        Message::Page(png) => {
            let url = format!("data:image/png;base64,{}", BASE64.encode(png));
            let image = ImageUrl { url, detail: None };
            let parts = vec![ChatCompletionRequestMessageContentPartImage::from(image).into()];
            let content = ChatCompletionRequestUserMessageContent::Array(parts);
            ChatCompletionRequestUserMessage::from(content).into()
        }
    }
}

/// A chat completion, as far as we read it.
#[derive(Deserialize)]
struct Reply {
    choices: Vec<Choice>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl Reply {
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
            Some("length") => End::CutByLength,
            Some("content_filter") => End::Refused,
            _ if refused => End::Refused,
            _ => End::Finished,
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
