//! The provider for Amazon Bedrock's [Converse
//! API](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html), with
//! the AWS SDK. The caller's role grants access; there is no key.
//!
//! An answer's schema is passed as that of a tool. The use of the tool is not forced, because
//! models that always think refuse that and others do not support it. A plain text answer is parsed
//! and validated in the same way.

use std::{
    error::Error,
    sync::{Arc, OnceLock},
};

use aws_sdk_bedrockruntime::{
    Client,
    config::{
        Builder, ConfigBag, Intercept, RuntimeComponents, StalledStreamProtectionConfig,
        interceptors::AfterDeserializationInterceptorContextRef, retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::{BoxError, BuildError, ProvideErrorMetadata, SdkError},
    operation::converse::ConverseError,
    primitives::Blob,
    types::{
        ContentBlock, ConversationRole, ImageBlock, ImageFormat, ImageSource,
        InferenceConfiguration, Message as BedrockMessage, SystemContentBlock, Tool,
        ToolConfiguration, ToolInputSchema, ToolSpecification,
    },
};
use aws_smithy_types::{Document, Number};
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use super::reply::{error_in, failure, short_code, text_of, usage_in, wait};
use crate::{
    ProviderError, lenient_json,
    provider::{
        Answering, ChatMessage, Completion, CompletionEnd, FailedReply, ModelRequest, Provider,
    },
};

/// The tool whose input is the answer.
const ANSWER: &str = "answer";
const ANSWER_DESCRIPTION: &str = "Takes the answer: its input is the JSON object.";

/// A client of Bedrock in one region.
#[derive(Debug)]
pub(crate) struct Bedrock {
    pub client: Client,
    pub max_tokens: i32,
}

impl Bedrock {
    async fn ask(&self, request: &ModelRequest<'_>) -> Result<Completion, FailedReply> {
        let (system, conversation) = request.system_and_conversation();
        let messages = conversation.map(wire_message).collect::<Result<_, _>>();
        let tools = request.schema.as_ref().map(answer_tool).transpose();
        // The caller applies timeouts and retries, because it knows the deadline.
        let settings = Builder::new()
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(TimeoutConfig::disabled());
        let limit = InferenceConfiguration::builder().max_tokens(self.max_tokens);
        let kept = KeptBody::default();
        let sent = self
            .client
            .converse()
            .model_id(request.model)
            .system(SystemContentBlock::Text(system.to_owned()))
            .set_messages(Some(messages.map_err(unmade)?))
            .set_tool_config(tools.map_err(unmade)?)
            .inference_config(limit.build())
            .customize()
            .config_override(settings)
            .interceptor(kept.clone())
            .send()
            .await;
        match (kept.0.get(), sent) {
            (Some(reply), _) => match error_in(reply) {
                Some(error) => {
                    let error = failure(None, error, &HeaderMap::new());
                    Err(FailedReply::reported(error, usage_in(reply)))
                }
                None => completion(reply),
            },
            (None, Err(error)) => Err(ours(error).into()),
            (None, Ok(_)) => Err(ProviderError::Garbled.into()),
        }
    }
}

impl Provider for Bedrock {
    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>) -> Answering<'a> {
        Box::pin(self.ask(request))
    }
}

fn answer_tool(schema: &Value) -> Result<ToolConfiguration, BuildError> {
    let answer = ToolSpecification::builder()
        .name(ANSWER)
        .description(ANSWER_DESCRIPTION)
        .input_schema(ToolInputSchema::Json(document(schema)))
        .build()?;
    ToolConfiguration::builder()
        .tools(Tool::ToolSpec(answer))
        .build()
}

fn wire_message(message: &ChatMessage) -> Result<BedrockMessage, BuildError> {
    let (role, content) = match message {
        ChatMessage::Assistant(text) => (
            ConversationRole::Assistant,
            ContentBlock::Text(text.clone()),
        ),
        ChatMessage::User(text) | ChatMessage::System(text) => {
            (ConversationRole::User, ContentBlock::Text(text.clone()))
        }
        ChatMessage::Page(png) => {
            let image = ImageBlock::builder()
                .format(ImageFormat::Png)
                .source(ImageSource::Bytes(Blob::new(png.clone())))
                .build()?;
            (ConversationRole::User, ContentBlock::Image(image))
        }
    };
    BedrockMessage::builder()
        .role(role)
        .content(content)
        .build()
}

/// The tool's input if it was used, otherwise the text.
fn completion(reply: &Value) -> Result<Completion, FailedReply> {
    let (content, usage) = (&reply["output"]["message"]["content"], usage_in(reply));
    let blocks = match content {
        Value::Array(blocks) => blocks.as_slice(),
        Value::String(_) => std::slice::from_ref(content),
        _ => return Err(FailedReply::unreadable(usage)),
    };
    let answer = blocks
        .iter()
        .map(|block| &block["toolUse"]["input"])
        .find(|input| !input.is_null());
    let text = match answer {
        Some(Value::String(text)) => text.clone(),
        Some(answer) => answer.to_string(),
        None => text_of(content),
    };
    let end = match reply["stopReason"].as_str() {
        Some("max_tokens" | "model_context_window_exceeded") => CompletionEnd::CutByLength,
        Some("content_filtered" | "guardrail_intervened" | "refusal") => CompletionEnd::Refused,
        _ => CompletionEnd::Finished,
    };
    Ok(Completion { text, end, usage })
}

/// Keeps the body of a reply. The SDK's own reading gives up a whole reply for a field of another
/// type, and takes an absent usage for 0.
#[derive(Clone, Debug, Default)]
struct KeptBody(Arc<OnceLock<Value>>);

impl Intercept for KeptBody {
    fn name(&self) -> &'static str {
        "KeptBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response
            .body()
            .bytes()
            .filter(|_| response.status().is_success());
        if let Some(reply) = body.and_then(|body| lenient_json::from_bytes(body).ok()) {
            // One call has one reply, because retries are off.
            let _ = self.0.set(reply);
        }
        Ok(())
    }
}

fn unmade(error: BuildError) -> ProviderError {
    ProviderError::Request(Box::new(error))
}

fn ours(error: SdkError<ConverseError>) -> ProviderError {
    match error {
        SdkError::ConstructionFailure(_) => ProviderError::Request(Box::new(error)),
        SdkError::ResponseError(_) => ProviderError::Garbled,
        SdkError::ServiceError(refused) => {
            let (raw, error) = (refused.raw(), refused.err());
            let status = raw.status().as_u16();
            if raw.status().is_success() {
                return ProviderError::Garbled;
            }
            let header = |name: &str| raw.headers().get(name).map(str::to_owned);
            ProviderError::Status {
                status,
                code: error.code().and_then(short_code),
                retry_after: wait(header, Timestamp::now()),
            }
        }
        other => ProviderError::Connection(connection(other)),
    }
}

fn connection(error: SdkError<ConverseError>) -> Box<dyn Error + Send + Sync> {
    match error.into_source() {
        Ok(source) => source,
        Err(error) => Box::new(error),
    }
}

fn document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(value) => Document::Bool(*value),
        Value::Number(number) => Document::Number(wire_number(number)),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(items) => Document::Array(items.iter().map(document).collect()),
        Value::Object(fields) => {
            let fields = fields.iter();
            Document::Object(fields.map(|(k, v)| (k.clone(), document(v))).collect())
        }
    }
}

fn wire_number(number: &serde_json::Number) -> Number {
    match (number.as_u64(), number.as_i64()) {
        (Some(whole), _) => Number::PosInt(whole),
        (None, Some(whole)) => Number::NegInt(whole),
        (None, None) => Number::Float(number.as_f64().unwrap_or_default()),
    }
}
