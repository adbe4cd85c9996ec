//! The wire formats of the providers, from their documentation: the form of each reply of a script,
//! and the position of each value in a request.
//!
//! OpenAI: <https://platform.openai.com/docs/api-reference/chat>. Anthropic:
//! <https://platform.claude.com/docs/en/api/messages> and `/errors`. Bedrock:
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>, parsed by
//! the AWS SDK.

use std::time::Duration;

use agents::{BedrockClient, Key, ModelConfig, ProviderKind, Secret, ServiceSettings};
use aws_sdk_bedrockruntime::config::{
    BehaviorVersion, Builder, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig,
};
use serde_json::{Value, json};

use crate::server::Reply;

/// The key that a deployment would configure.
pub const KEY: &str = "sk-a-key-that-nobody-sees";

/// Shorter than the call timeout.
const SHORT: Duration = Duration::from_millis(200);

/// The message of a failing service.
const WORDS: &str = "the provider's own words";

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    OpenAi,
    Anthropic,
    Bedrock,
}

impl Wire {
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::Bedrock];

    /// A model of the provider with a price.
    pub fn model(self) -> &'static str {
        match self {
            Self::OpenAi => "gpt-5-mini",
            Self::Anthropic => "claude-haiku-4-5",
            Self::Bedrock => "amazon.nova-lite-v1:0",
        }
    }

    /// The cost of 100 input and 20 output tokens; Anthropic and Bedrock report 10 as cached.
    pub fn cost(self) -> f64 {
        match self {
            Self::OpenAi => 0.000_065,
            Self::Anthropic => 0.000_191,
            Self::Bedrock => 0.000_010_35,
        }
    }

    pub fn kind(self) -> ProviderKind {
        match self {
            Self::OpenAi => ProviderKind::OpenAi,
            Self::Anthropic => ProviderKind::Anthropic,
            Self::Bedrock => ProviderKind::Bedrock,
        }
    }

    /// Points the provider to a server.
    pub fn set_up(self, mut config: ModelConfig, url: &str) -> ModelConfig {
        let key = Some(Key::Given(Secret::new(KEY)));
        let at = |path: &str| Some(format!("{url}{path}"));
        match self {
            Self::OpenAi => {
                config.openai = ServiceSettings {
                    base_url: at("/v1"),
                    key,
                }
            }
            Self::Anthropic => {
                config.anthropic = ServiceSettings {
                    base_url: at(""),
                    key,
                }
            }
            Self::Bedrock => config.bedrock = Some(bedrock(url)),
        }
        config
    }

    /// The wire form of a reply.
    pub fn render(self, reply: Reply) -> Reply {
        match reply {
            Reply::Answers(answer) => self.answers(answer),
            Reply::Says(text) => self.says(&text, ["stop", "end_turn", "end_turn"]),
            Reply::IsCut(text) => self.says(&text, ["length", "max_tokens", "max_tokens"]),
            Reply::Refuses if self == Self::OpenAi => success(json!({
                "choices": [{"message": {"content": null, "refusal": "I won't."}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20},
            })),
            Reply::Refuses => self.says("", ["", "refusal", "content_filtered"]),
            Reply::Fails(status, code) => self.fails(status, code),
            other => other,
        }
    }

    fn answers(self, answer: Value) -> Reply {
        if self != Self::Bedrock {
            return self.says(&answer.to_string(), ["stop", "end_turn", ""]);
        }
        let tool_use = json!({"toolUseId": "tooluse_1", "name": "answer", "input": answer});
        let content = json!([{"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"toolUse": tool_use}]);
        converse(content, "tool_use")
    }

    /// A message of the model, with the stop reason of each wire format.
    fn says(self, text: &str, reasons: [&str; 3]) -> Reply {
        match self {
            Self::OpenAi => success(json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
                "choices": [{
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": reasons[0],
                }],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            })),
            Self::Anthropic => success(json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                    {"type": "text", "text": text},
                ],
                "stop_reason": reasons[1], "stop_sequence": null,
                "usage": {
                    "input_tokens": 90, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 10,
                    "output_tokens": 20,
                },
            })),
            Self::Bedrock => converse(json!([{"text": text}]), reasons[2]),
        }
    }

    fn fails(self, status: u16, code: &str) -> Reply {
        let (headers, body) = match self {
            Self::OpenAi => (
                vec![],
                json!({"error": {"message": WORDS, "type": "t", "param": null, "code": code}}),
            ),
            Self::Anthropic => (
                vec![],
                json!({"type": "error", "error": {"type": code, "message": WORDS}, "request_id": "req_1"}),
            ),
            Self::Bedrock => (
                vec![("x-amzn-errortype", code.to_owned())],
                json!({"message": WORDS}),
            ),
        };
        Reply::Http(status, headers, body.to_string())
    }

    pub fn system(self, body: &Value) -> String {
        match self {
            Self::OpenAi => text(&body["messages"][0]["content"]),
            Self::Anthropic => text(&body["system"]),
            Self::Bedrock => text(&body["system"][0]["text"]),
        }
    }

    pub fn messages(self, body: &Value) -> Vec<String> {
        let all = body["messages"].as_array().unwrap().iter();
        match self {
            Self::OpenAi => all.skip(1).map(|m| text(&m["content"])).collect(),
            Self::Anthropic => all.map(|m| text(&m["content"])).collect(),
            Self::Bedrock => all.map(|m| text(&m["content"][0]["text"])).collect(),
        }
    }

    pub fn schema(self, body: &Value) -> Value {
        match self {
            Self::OpenAi => body["response_format"]["json_schema"]["schema"].clone(),
            Self::Anthropic => body["output_config"]["format"]["schema"].clone(),
            Self::Bedrock => {
                body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"].clone()
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn success(body: Value) -> Reply {
    let json = vec![("content-type", "application/json".to_owned())];
    Reply::Http(200, json, body.to_string())
}

fn converse(content: Value, reason: &str) -> Reply {
    success(json!({
        "metrics": {"latencyMs": 1},
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": reason,
        "usage": {
            "inputTokens": 90, "cacheReadInputTokens": 10, "outputTokens": 20, "totalTokens": 120,
        },
    }))
}

/// The SDK client of a deployment, with a timeout and retries that must have no effect.
fn bedrock(url: &str) -> BedrockClient {
    let settings = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new("AKIA", KEY, None, None, "test"))
        .region(Region::from_static("us-east-1"))
        .timeout_config(TimeoutConfig::builder().operation_timeout(SHORT).build())
        .retry_config(RetryConfig::standard())
        .endpoint_url(url);
    BedrockClient::from_conf(settings.build())
}
