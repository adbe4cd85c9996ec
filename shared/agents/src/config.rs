//! Which provider answers, and within which times. A bad setting is found when [`crate::Agents`] is made,
//! so it stops a cold start and never a run.

use std::{fmt, str::FromStr, time::Duration};

/// All settings of the models. The caller reads them from its environment.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// `MODEL_PROVIDER`.
    pub provider: ProviderKind,
    /// `MODEL_ID`: the model for calls that name none. Needed by every provider but `offline`.
    pub model_id: Option<String>,
    /// `OPENAI_BASE_URL`: up to and with the version, e.g. `http://localhost:11434/v1`. Default: OpenAI's own.
    pub openai_base_url: Option<String>,
    /// `OPENAI_API_KEY`. May be missing with a base URL of one's own.
    pub openai_api_key: Option<Secret>,
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

impl Default for ModelConfig {
    /// The offline engine without latency, and the times of the deployed executor: 90 s a call, 30 s margin, 180 s in all.
    fn default() -> Self {
        Self {
            provider: ProviderKind::Offline,
            model_id: None,
            openai_base_url: None,
            openai_api_key: None,
            offline_latency: Duration::ZERO,
            call_timeout: Duration::from_secs(90),
            margin: Duration::from_secs(30),
            invocation: Duration::from_secs(180),
            first_backoff: Duration::from_millis(500),
        }
    }
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// The text engine in this crate.
    Offline,
    /// Anything that speaks OpenAI's chat completions.
    OpenAi,
}

impl FromStr for ProviderKind {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        match name {
            "offline" => Ok(Self::Offline),
            "openai" => Ok(Self::OpenAi),
            _ => Err(ConfigError::UnknownProvider),
        }
    }
}

/// A setting that can't be worked with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `MODEL_PROVIDER` names none.
    #[error("MODEL_PROVIDER must be `offline` or `openai`")]
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
    /// OpenAI's own service needs a key.
    #[error(
        "OPENAI_API_KEY is missing; only a service at an OPENAI_BASE_URL of your own may do without"
    )]
    NoKey,
    /// The key can't be sent as a header.
    #[error(
        "OPENAI_API_KEY holds characters that an HTTP header can't carry, perhaps a line break at its end"
    )]
    BadKey,
    /// The base URL isn't one.
    #[error("OPENAI_BASE_URL must be an http or https URL, e.g. http://localhost:11434/v1")]
    BadUrl,
    /// The HTTP client could not be made, e.g. because the machine has no CA certificates.
    #[error("the HTTP client of the model provider could not be made")]
    Client(#[source] reqwest::Error),
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

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
