//! The settings of the providers and their timeouts. [`crate::Agents::new`] checks them, so that an
//! invalid setting stops a cold start and never a run.

use std::{convert::Infallible, fmt, str::FromStr, time::Duration};

use crate::{Key, Prices, ProviderKind};

/// All model settings. The caller reads them from its environment.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// `MODEL_PROVIDER`: the provider of models without a prefix.
    pub provider: ProviderKind,
    /// `MODEL_ID`: the model of calls that name none. Required by every provider except `offline`.
    pub model_id: Option<String>,
    /// `MODEL_PROVIDERS`: further providers, selected by a prefix.
    pub also: Vec<ProviderKind>,
    /// `OPENAI_BASE_URL`, including the version, e.g. `https://example.openai.azure.com/openai/v1`,
    /// and `OPENAI_API_KEY` or `OPENAI_API_KEY_SECRET`. With a custom base URL the key is
    /// optional.
    pub openai: ServiceSettings,
    /// `ANTHROPIC_BASE_URL`, without the version, and `ANTHROPIC_API_KEY` or
    /// `ANTHROPIC_API_KEY_SECRET`.
    pub anthropic: ServiceSettings,
    /// `OLLAMA_BASE_URL`, including the version. Default: the local machine.
    pub ollama_base_url: Option<String>,
    /// The Bedrock client, if Bedrock is used. Its own retries and timeouts are ignored.
    pub bedrock: Option<aws_sdk_bedrockruntime::Client>,
    /// `MODEL_KEY_TTL_SECONDS`: how long a key from a key store is cached.
    pub key_ttl: Duration,
    /// `MODEL_PRICES`: the prices of the models.
    pub prices: Prices,
    /// `MODEL_MAX_OUTPUT_TOKENS`: the most tokens of an answer. Default: by the provider.
    pub max_output_tokens: Option<u32>,
    /// `OFFLINE_LATENCY_MS`: the delay before each answer of the offline engine, so that a client
    /// can observe its progress.
    pub offline_latency: Duration,
    /// `MODEL_TIMEOUT_SECONDS`: the timeout of one model call.
    pub call_timeout: Duration,
    /// `STEP_MARGIN_SECONDS`: the time reserved after a call to save its result.
    pub margin: Duration,
    /// `FUNCTION_TIMEOUT_SECONDS`: the timeout of the caller's invocation. A call and the margin
    /// must fit into it.
    pub invocation: Duration,
    /// The first pause before a retry. It doubles up to 40 s, with jitter.
    pub first_backoff: Duration,
}

/// A model service over HTTP.
#[derive(Clone, Debug, Default)]
pub struct ServiceSettings {
    /// Its address; the vendor's own when absent.
    pub base_url: Option<String>,
    /// Its key.
    pub key: Option<Key>,
}

impl Default for ModelConfig {
    /// The offline engine without latency, and the timeouts of the deployed executor: 90 s per
    /// call, 30 s margin, 180 s per invocation.
    fn default() -> Self {
        Self {
            provider: ProviderKind::Offline,
            model_id: None,
            also: Vec::new(),
            openai: ServiceSettings::default(),
            anthropic: ServiceSettings::default(),
            ollama_base_url: None,
            bedrock: None,
            key_ttl: Duration::from_secs(600),
            prices: Prices::default(),
            max_output_tokens: None,
            offline_latency: Duration::ZERO,
            call_timeout: Duration::from_secs(90),
            margin: Duration::from_secs(30),
            invocation: Duration::from_secs(180),
            first_backoff: Duration::from_secs(1),
        }
    }
}

/// An invalid setting.
#[derive(Debug, thiserror::Error)]
pub enum ModelConfigError {
    /// `MODEL_PROVIDER` or `MODEL_PROVIDERS` names no provider.
    #[error(
        "MODEL_PROVIDER must be `offline`, `openai`, `anthropic`, `bedrock` or `ollama`, and MODEL_PROVIDERS some of these with commas between"
    )]
    UnknownProvider,
    /// No call could begin, because each needs more time than an invocation has.
    #[error(
        "FUNCTION_TIMEOUT_SECONDS must be more than {call} and STEP_MARGIN_SECONDS together, or no model would ever be asked"
    )]
    NoTime {
        /// The variable that sets the time of a call.
        call: &'static str,
    },
    /// No default model.
    #[error("MODEL_ID must name a model when MODEL_PROVIDER is not `offline`")]
    NoModel,
    /// The provider of the default model is not set up.
    #[error(
        "MODEL_ID names a model of `{0}`, which is neither MODEL_PROVIDER nor one of MODEL_PROVIDERS"
    )]
    NotListed(ProviderKind),
    /// A vendor's own service requires a key.
    #[error(
        "{0} is missing, and so is {0}_SECRET; only a service at a base URL of your own may do without"
    )]
    NoKey(&'static str),
    /// The key cannot be sent as a header.
    #[error(
        "{0} holds characters that an HTTP header can't carry, perhaps a line break at its end"
    )]
    BadKey(&'static str),
    /// A base URL is invalid.
    #[error(
        "{0} must be an https URL, or an http URL of this machine, e.g. http://localhost:11434/v1"
    )]
    BadUrl(&'static str),
    /// Bedrock is to be used, but the configuration contains no client.
    #[error("MODEL_PROVIDER or MODEL_PROVIDERS names `bedrock`, which this program cannot ask")]
    NoClient,
}

/// A secret value. `Debug` prints `***`. It has no `Display` and cannot be serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the code that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
