//! Which providers answer, and within which times. A bad setting is found when [`crate::Agents`] is made,
//! so it stops a cold start and never a run.

use std::{convert::Infallible, fmt, str::FromStr, time::Duration};

use crate::{Key, Prices, ProviderKind};

/// All settings of the models. The caller reads them from its environment.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// `MODEL_PROVIDER`: who answers calls whose model has no prefix.
    pub provider: ProviderKind,
    /// `MODEL_ID`: the model for calls that name none. Needed by every provider but `offline`.
    pub model_id: Option<String>,
    /// `MODEL_PROVIDERS`: who else can be asked, by a prefix.
    pub also: Vec<ProviderKind>,
    /// `OPENAI_BASE_URL`, up to and with the version, e.g. `https://example.openai.azure.com/openai/v1`, and `OPENAI_API_KEY`
    /// or `OPENAI_API_KEY_SECRET`. The key may be missing with a base URL of one's own.
    pub openai: ServiceSettings,
    /// `ANTHROPIC_BASE_URL`, up to the version and without it, and `ANTHROPIC_API_KEY` or `ANTHROPIC_API_KEY_SECRET`.
    pub anthropic: ServiceSettings,
    /// `OLLAMA_BASE_URL`: up to and with the version. Default: this machine's.
    pub ollama_base_url: Option<String>,
    /// The client of Bedrock, where it is to be asked. Its retries and time-outs are not heeded.
    pub bedrock: Option<aws_sdk_bedrockruntime::Client>,
    /// `MODEL_KEY_TTL_SECONDS`: how long a key that is kept elsewhere is used before it is read again.
    pub key_ttl: Duration,
    /// `MODEL_PRICES`: what the models cost.
    pub prices: Prices,
    /// `OFFLINE_LATENCY_MS`: how long the offline engine waits before each answer, so that there is something to watch.
    pub offline_latency: Duration,
    /// `MODEL_TIMEOUT_SECONDS`: the longest that one model call may take.
    pub call_timeout: Duration,
    /// `STEP_MARGIN_SECONDS`: what must be left after a whole call, to save what came of it.
    pub margin: Duration,
    /// `FUNCTION_TIMEOUT_SECONDS`: the longest that the caller's invocation lasts; a call and the margin must fit into it.
    pub invocation: Duration,
    /// The first pause before a failed call is repeated; it doubles up to 20 s, with jitter.
    pub first_backoff: Duration,
}

/// A service that is asked over HTTP.
#[derive(Clone, Debug, Default)]
pub struct ServiceSettings {
    /// Where it is; the vendor's own when absent.
    pub base_url: Option<String>,
    /// The key for it.
    pub key: Option<Key>,
}

impl Default for ModelConfig {
    /// The offline engine without latency, and the times of the deployed executor: 90 s a call, 30 s margin, 180 s in all.
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
            offline_latency: Duration::ZERO,
            call_timeout: Duration::from_secs(90),
            margin: Duration::from_secs(30),
            invocation: Duration::from_secs(180),
            first_backoff: Duration::from_millis(500),
        }
    }
}

/// A setting that can't be worked with.
#[derive(Debug, thiserror::Error)]
pub enum ModelConfigError {
    /// `MODEL_PROVIDER` or `MODEL_PROVIDERS` names none.
    #[error(
        "MODEL_PROVIDER must be `offline`, `openai`, `anthropic`, `bedrock` or `ollama`, and MODEL_PROVIDERS some of these with commas between"
    )]
    UnknownProvider,
    /// No call would ever begin: each needs more time than a whole invocation has.
    #[error(
        "FUNCTION_TIMEOUT_SECONDS must be more than {call} and STEP_MARGIN_SECONDS together, or no model would ever be asked"
    )]
    NoTime {
        /// The variable that says how long a call takes.
        call: &'static str,
    },
    /// No default model.
    #[error("MODEL_ID must name a model when MODEL_PROVIDER is not `offline`")]
    NoModel,
    /// The default model is one of a provider that is not there.
    #[error(
        "MODEL_ID names a model of `{0}`, which is neither MODEL_PROVIDER nor one of MODEL_PROVIDERS"
    )]
    NotListed(ProviderKind),
    /// A vendor's own service needs a key.
    #[error(
        "{0} is missing, and so is {0}_SECRET; only a service at a base URL of your own may do without"
    )]
    NoKey(&'static str),
    /// The key can't be sent as a header.
    #[error(
        "{0} holds characters that an HTTP header can't carry, perhaps a line break at its end"
    )]
    BadKey(&'static str),
    /// A base URL isn't one.
    #[error("{0} must be an http or https URL, e.g. http://localhost:11434/v1")]
    BadUrl(&'static str),
    /// Bedrock is to be asked, and whoever made the configuration handed in no client.
    #[error("MODEL_PROVIDER or MODEL_PROVIDERS names `bedrock`, which this program cannot ask")]
    NoClient,
}

/// A value that never shows itself: its `Debug` is `***`, it has no `Display` and can't be serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that sends it.
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
