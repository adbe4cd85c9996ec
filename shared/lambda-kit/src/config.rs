//! The environment, read once and into types: a variable that cannot be used stops the cold start and never a request.
//!
//! Every variable stands in one table with its default and its sentence. [`Config`] is made from that table, and so is
//! [`VARIABLES`], which a test holds against the README and the template. An empty variable counts as absent. What only
//! some functions need is optional here, and [`required`] names it where it is missing.

use std::convert::Infallible;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use agents::{Prices, ProviderKind, ProviderList, Secret};
use documents::arxiv::ArxivConfig;
use session::Rules;

use crate::{Languages, OcrChoice};

/// A variable of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What counts when it is absent; none for what only some deployments or functions have.
    pub default: Option<&'static str>,
    /// What it is.
    pub doc: &'static str,
}

/// A variable that is missing or cannot be used. Its value is not shown: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// This function cannot do without it.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// It does not parse.
    #[error("{name} cannot be used: {problem}")]
    Invalid {
        /// Which variable.
        name: &'static str,
        /// What it must be.
        problem: String,
    },
}

/// A duration, given as a whole number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub Duration);

/// A duration, given as a whole number of milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Milliseconds(pub Duration);

/// The key of a model provider; it never shows itself.
#[derive(Debug, Clone)]
pub struct ApiKey(pub(crate) Secret);

/// The text is no whole number of the unit.
#[derive(Debug, thiserror::Error)]
#[error("it must be a whole number of {0}")]
pub struct NotANumberOf(&'static str);

impl FromStr for Seconds {
    type Err = NotANumberOf;

    fn from_str(text: &str) -> Result<Self, NotANumberOf> {
        let seconds = text.parse().map_err(|_| NotANumberOf("seconds"))?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

impl FromStr for Milliseconds {
    type Err = NotANumberOf;

    fn from_str(text: &str) -> Result<Self, NotANumberOf> {
        let milliseconds = text.parse().map_err(|_| NotANumberOf("milliseconds"))?;
        Ok(Self(Duration::from_millis(milliseconds)))
    }
}

impl FromStr for ApiKey {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Secret::new(text)))
    }
}

macro_rules! environment {
    ($($name:literal $field:ident: $type:ty $(= $default:literal)?, $doc:literal;)*) => {
        /// Everything that a deployment can set. The fields say what [`VARIABLES`] says.
        #[derive(Debug, Clone)]
        pub struct Config {
            $(#[doc = $doc] pub $field: environment!(@field $type $(, $default)?),)*
        }

        /// Every variable that is read, in the order of the README.
        pub const VARIABLES: &[Variable] = &[
            $(Variable { name: $name, default: environment!(@default $($default)?), doc: $doc },)*
        ];

        impl Config {
            /// Reads the variables through `get`, which knows their values.
            ///
            /// # Errors
            /// [`ConfigError`], which names the variable.
            pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
                Ok(Self { $($field: environment!(@read get, $name $(, $default)?),)* })
            }
        }
    };
    (@field $type:ty, $default:literal) => { $type };
    (@field $type:ty) => { Option<$type> };
    (@default $default:literal) => { Some($default) };
    (@default) => { None };
    (@read $get:ident, $name:literal, $default:literal) => {
        parse($name, &$get($name).unwrap_or_else(|| $default.into()))?
    };
    (@read $get:ident, $name:literal) => {
        $get($name).map(|text| parse($name, &text)).transpose()?
    };
}

environment! {
    "TABLE_NAME" table: String, "The DynamoDB table.";
    "QUEUE_URL" queue_url: String, "The queue that wakes the executor.";
    "BUCKET_NAME" bucket: String, "The bucket for contents above 32 KiB.";
    "WS_CALLBACK_URL" ws_callback_url: String, "The `@connections` base URL of the WebSocket API, with its stage.";
    "JWT_ISSUER" jwt_issuer: String, "Issuer of the tokens that open a WebSocket.";
    "JWT_AUDIENCE" jwt_audience: String, "Audience that they must name.";
    "JWKS_TTL_SECONDS" jwks_ttl: Seconds = "600", "How long the issuer's keys are kept before they are asked for again.";
    "OWNER" owner: String, "Makes every caller without a token this owner; set by the local stack alone, never by the template.";
    "MODEL_PROVIDER" model_provider: ProviderKind = "offline", "Who answers: `offline`, `openai`, `anthropic`, `bedrock` or `ollama`.";
    "MODEL_ID" model_id: String, "The model for calls that name none; needed by all but `offline`.";
    "MODEL_PROVIDERS" model_providers: ProviderList, "Who else answers, with commas between: models that begin with `<provider>/`.";
    "MODEL_PRICES" model_prices: Prices, "What models cost, in place of `shared/agents/prices.json`: JSON in its form, or the path of a file with it.";
    "MODEL_KEY_TTL_SECONDS" model_key_ttl: Seconds = "600", "How long a key from Secrets Manager is used before it is read again; one that is refused is read again at once.";
    "OPENAI_BASE_URL" openai_base_url: String, "An OpenAI-compatible service, up to and with its version; OpenAI's own when absent.";
    "OPENAI_API_KEY" openai_api_key: ApiKey, "The key for it; on one's own machine.";
    "OPENAI_API_KEY_SECRET" openai_api_key_secret: String, "The secret in AWS Secrets Manager whose text is that key: its ARN.";
    "ANTHROPIC_BASE_URL" anthropic_base_url: String, "A service that speaks Anthropic's Messages API, without its version; Anthropic's own when absent.";
    "ANTHROPIC_API_KEY" anthropic_api_key: ApiKey, "The key for it; on one's own machine.";
    "ANTHROPIC_API_KEY_SECRET" anthropic_api_key_secret: String, "The secret in AWS Secrets Manager whose text is that key: its ARN.";
    "OLLAMA_BASE_URL" ollama_base_url: String, "An Ollama server, up to and with its version; this machine's when absent.";
    "MODEL_WINDOW_TOKENS" model_window: u32 = "32000", "The tokens that a model can read at once: a paper's text is cut by its sections to fill three quarters of them at most.";
    "OCR_ENGINE" ocr_engine: OcrChoice = "tesseract", "Who reads a page without a text layer: `tesseract`, `textract`, or `model`, the run's own or `MODEL_ID`, which must see.";
    "OCR_LANGUAGES" ocr_languages: Languages = "eng", "What Tesseract reads, with + between: `eng+deu`.";
    "ARXIV_API_URL" arxiv_api_url: String, "Where papers' metadata is asked for; arXiv's own query endpoint when absent.";
    "ARXIV_PDF_URL" arxiv_pdf_url: String, "What a paper's id is appended to, after `/`, for its PDF; arXiv's own when absent.";
    "ARXIV_INTERVAL_MS" arxiv_interval: Milliseconds = "3000", "The least time between two requests to arXiv, of all runs together: arXiv's own rule. Only a server of one's own may be asked more often.";
    "OFFLINE_LATENCY_MS" offline_latency: Milliseconds = "0", "How long the offline engine waits before each answer.";
    "MODEL_TIMEOUT_SECONDS" model_timeout: Seconds = "90", "The longest that one model call may take.";
    "STEP_MARGIN_SECONDS" step_margin: Seconds = "30", "What must be left of an invocation beyond a model call for a step to begin.";
    "FUNCTION_TIMEOUT_SECONDS" function_timeout: Seconds = "180", "The executor's own time-out, where the runtime gives no usable deadline.";
    "APPROVAL_TTL_SECONDS" approval_ttl: Seconds = "604800", "How long a question to a person stays open.";
    "IDLE_TTL_SECONDS" idle_ttl: Seconds = "86400", "How long an active session may do nothing before it expires.";
    "REQUEUE_SECONDS" requeue: Seconds = "30", "After this long the message of a queued run is sent again; it doubles each time.";
    "PURGE_DELAY_SECONDS" purge_delay: Seconds = "1200", "How long after a delete its items are purged: longer than any function lives.";
    "METRICS_NAMESPACE" metrics_namespace: String = "Intermission", "The namespace of the metrics; the template sets the stack's name.";
    "RUST_LOG" log: String = "info", "What is logged, as a filter of the tracing crate.";
}

fn parse<T: FromStr<Err: Display>>(name: &'static str, text: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|error: T::Err| ConfigError::Invalid {
        name,
        problem: error.to_string(),
    })
}

/// The value of a variable that this function cannot do without.
///
/// # Errors
/// [`ConfigError::Missing`].
pub fn required<'a>(name: &'static str, value: &'a Option<String>) -> Result<&'a str, ConfigError> {
    value.as_deref().ok_or(ConfigError::Missing(name))
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`ConfigError`], which names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// The durations that decisions depend on.
    pub const fn rules(&self) -> Rules {
        Rules {
            requeue: self.requeue.0,
            approval_ttl: self.approval_ttl.0,
            idle_ttl: self.idle_ttl.0,
            purge_delay: self.purge_delay.0,
        }
    }

    /// Where arXiv is.
    pub fn arxiv(&self) -> ArxivConfig {
        let own = ArxivConfig::default();
        ArxivConfig {
            api_url: self.arxiv_api_url.clone().unwrap_or(own.api_url),
            pdf_url: self.arxiv_pdf_url.clone().unwrap_or(own.pdf_url),
            max_pdf_bytes: own.max_pdf_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name)?;
            Some(pair.1.to_owned())
        })
    }

    #[test]
    fn nothing_set_is_a_usable_configuration_whose_rules_are_the_domains() {
        let config = with(&[]).unwrap();
        assert_eq!(config.rules(), Rules::default());
        assert_eq!(config.model_provider, ProviderKind::Offline);
        assert_eq!(
            required("TABLE_NAME", &config.table),
            Err(ConfigError::Missing("TABLE_NAME"))
        );
    }

    #[test]
    fn a_bad_value_is_named_and_not_shown() {
        for (name, value) in [
            ("IDLE_TTL_SECONDS", "a day"),
            ("REQUEUE_SECONDS", "-1"),
            ("OFFLINE_LATENCY_MS", "1.5"),
            ("MODEL_PROVIDER", "oracle"),
            ("MODEL_PROVIDERS", "openai,oracle"),
            ("MODEL_PRICES", "/no/such/table"),
        ] {
            let error = with(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
            assert!(!error.contains(value), "{error}");
        }
    }

    #[test]
    fn a_bad_price_stops_the_cold_start_and_its_row_is_named() {
        let row = r#"{"model": "openai/m", "input_usd_per_million": -1, "output_usd_per_million": 1, "as_of": "2026-11-23", "source": "s"}"#;
        let error = with(&[("MODEL_PRICES", &format!("[{row}]"))]).unwrap_err();
        let told = error.to_string();
        assert!(
            told.starts_with("MODEL_PRICES cannot be used: row 1 (openai/m): a price"),
            "{told}"
        );
    }

    #[test]
    fn times_in_which_no_model_could_be_asked_stop_whoever_asks_and_nobody_else() {
        let config = with(&[
            ("FUNCTION_TIMEOUT_SECONDS", "120"),
            ("MODEL_PROVIDER", "openai"),
            ("MODEL_ID", "m"),
            ("OPENAI_API_KEY", "k"),
        ]);
        let config = config.unwrap();
        let error = agents::Agents::new(config.models()).unwrap_err();
        assert!(error.to_string().starts_with("FUNCTION_TIMEOUT_SECONDS"));
        assert!(crate::Models::new(&config).is_ok());
    }

    #[test]
    fn a_key_never_shows_itself() {
        let config = with(&[("OPENAI_API_KEY", "sk-very-secret")]).unwrap();
        assert!(!format!("{config:?}").contains("very-secret"));
    }

    #[test]
    fn no_variable_stands_twice() {
        for (at, variable) in VARIABLES.iter().enumerate() {
            assert!(
                VARIABLES[at + 1..]
                    .iter()
                    .all(|other| other.name != variable.name),
                "{}",
                variable.name
            );
        }
    }
}
