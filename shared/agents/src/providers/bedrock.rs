//! The provider for Amazon Bedrock's [Converse
//! API](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html), with
//! the AWS SDK. The caller's role grants access; there is no key.
//!
//! An answer's schema is passed as that of a tool. The use of the tool is not forced, because
//! models that always think refuse that and others do not support it. A plain text answer is parsed
//! and validated in the same way.

use std::error::Error;

use aws_sdk_bedrockruntime::{
    Client,
    config::{Builder, StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig},
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::converse::{ConverseError, ConverseOutput},
    primitives::Blob,
    types::{
        ContentBlock, ConversationRole, ImageBlock, ImageFormat, ImageSource,
        Message as BedrockMessage, StopReason, SystemContentBlock, TokenUsage, Tool,
        ToolConfiguration, ToolInputSchema, ToolSpecification,
    },
};
use aws_smithy_types::{Document, Number};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::transport::{retry_after, short_code};
use crate::{
    ProviderError,
    provider::{Answering, ChatMessage, Completion, CompletionEnd, ModelRequest, Provider},
};

/// The tool whose input is the answer.
const ANSWER: &str = "answer";
const ANSWER_DESCRIPTION: &str = "Takes the answer: its input is the JSON object.";

/// A client of Bedrock in one region.
#[derive(Debug)]
pub(crate) struct Bedrock {
    pub client: Client,
}

impl Bedrock {
    async fn ask(&self, request: &ModelRequest<'_>) -> Result<Completion, ProviderError> {
        let (system, conversation) = request.system_and_conversation();
        let messages = conversation.map(wire_message).collect::<Result<_, _>>();
        let tools = request.schema.as_ref().map(answer_tool).transpose();
        // The caller applies timeouts and retries, because it knows the deadline.
        let settings = Builder::new()
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(TimeoutConfig::disabled());
        let output = self
            .client
            .converse()
            .model_id(request.model)
            .system(SystemContentBlock::Text(system.to_owned()))
            .set_messages(Some(messages.map_err(unmade)?))
            .set_tool_config(tools.map_err(unmade)?)
            .customize()
            .config_override(settings)
            .send()
            .await
            .map_err(ours)?;
        completion(output)
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
fn completion(output: ConverseOutput) -> Result<Completion, ProviderError> {
    let said = output
        .output
        .and_then(|output| output.as_message().ok().cloned());
    let said = said.ok_or(ProviderError::Garbled)?;
    let answer = said
        .content
        .iter()
        .find_map(|block| block.as_tool_use().ok());
    let text = match answer {
        Some(answer) => value(&answer.input).to_string(),
        None => said
            .content
            .iter()
            .filter_map(|block| block.as_text().ok().map(String::as_str))
            .collect(),
    };
    Ok(Completion {
        text,
        end: end(&output.stop_reason),
        tokens: output.usage.as_ref().map(tokens).filter(counted),
    })
}

fn end(reason: &StopReason) -> CompletionEnd {
    match reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => {
            CompletionEnd::CutByLength
        }
        StopReason::ContentFiltered | StopReason::GuardrailIntervened => CompletionEnd::Refused,
        other if other.as_str() == "refusal" => CompletionEnd::Refused,
        _ => CompletionEnd::Finished,
    }
}

/// The SDK reports 0 for both if the service counts no tokens.
fn counted(tokens: &(u64, u64)) -> bool {
    *tokens != (0, 0)
}

/// Tokens read from or written to a cache are part of the prompt.
fn tokens(usage: &TokenUsage) -> (u64, u64) {
    let count = |tokens: i32| u64::try_from(tokens).unwrap_or_default();
    let cached = [
        usage.cache_read_input_tokens,
        usage.cache_write_input_tokens,
    ];
    let cached: u64 = cached.into_iter().flatten().map(count).sum();
    (
        count(usage.input_tokens) + cached,
        count(usage.output_tokens),
    )
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
            let asked = raw.headers().get("retry-after");
            ProviderError::Status {
                status,
                code: error.code().and_then(short_code),
                retry_after: asked.and_then(|asked| retry_after(asked, Timestamp::now())),
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

fn value(document: &Document) -> Value {
    match document {
        Document::Null => Value::Null,
        Document::Bool(value) => Value::Bool(*value),
        Document::Number(Number::PosInt(whole)) => Value::from(*whole),
        Document::Number(Number::NegInt(whole)) => Value::from(*whole),
        Document::Number(Number::Float(number)) => Value::from(*number),
        Document::String(text) => Value::String(text.clone()),
        Document::Array(items) => Value::Array(items.iter().map(value).collect()),
        Document::Object(fields) => {
            let fields = fields.iter();
            let fields: Map<String, Value> = fields.map(|(k, v)| (k.clone(), value(v))).collect();
            Value::Object(fields)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_survives_a_round_trip_through_a_document() {
        let all = json!({"a": [null, true, 1, -1, 0.5, "text"], "b": {"c": {}}, "d": u64::MAX});
        assert_eq!(value(&document(&all)), all);
    }
}
