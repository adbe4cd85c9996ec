//! What can go wrong with a call. Goals: the caller can tell "try again later" from "never" without knowing a
//! provider; the client gets a sentence that holds nothing of the provider's text; the log gets the cause, but
//! neither what was asked nor what was answered.

use std::time::Duration;

use workflow::{StageFailure, Usage};

use crate::{NotSetUp, UnknownAgent, form::Misfit, providers::KeyError};

/// A call without an answer that could be used. The money that it cost all the same stands in `usages`.
#[derive(Debug, thiserror::Error)]
#[error("the {asked} did not answer")]
pub struct CallError {
    /// Who was asked: an agent's id, or [`PAGE_READER`](crate::PAGE_READER).
    pub asked: &'static str,
    /// Why there is no answer.
    #[source]
    pub failure: CallFailure,
    /// How many answers came and did not fit.
    pub attempts: u32,
    /// One entry per model answer.
    pub usages: Vec<Usage>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallFailure {
    /// The request names an agent that does not exist, or that cannot do a step.
    #[error(transparent)]
    UnknownAgent(UnknownAgent),
    /// Less time was left before the deadline than a whole call and the margin take: try in a new invocation.
    #[error("too little time was left for a model call")]
    OutOfTime,
    /// The provider fails in a way that passes, and went on failing while there was time to try: try in a new
    /// invocation, after `retry_after` if the provider named a time.
    #[error("the model provider is failing for the moment")]
    Transient {
        /// What the provider asked us to wait.
        retry_after: Option<Duration>,
        /// The last error.
        source: ProviderError,
    },
    /// The provider refused the request, and would refuse it again.
    #[error("the model provider refused the request")]
    Rejected(#[source] ProviderError),
    /// No answer fitted its schema; the last one's fault is the source.
    #[error("no answer had the required form")]
    Misfit(#[source] Misfit),
}

/// What went wrong between us and a provider. Holds codes, never the provider's sentences.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// An HTTP status other than success.
    #[error("status {status}, code {}", code.as_deref().unwrap_or("-"))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The provider's own short code, e.g. `insufficient_quota`.
        code: Option<String>,
        /// From `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// No answer within the time-out.
    #[error("no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// No connection, or one that was closed before the answer was there.
    #[error("the connection failed")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A success whose body is not what the protocol says.
    #[error("the reply was not what the protocol says")]
    Garbled,
    /// The request could not even be made.
    #[error("the request could not be made")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The key for the service could not be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The model's provider is not there.
    #[error(transparent)]
    NotSetUp(#[from] NotSetUp),
    /// The provider that was to read an image has no model that sees.
    #[error("the provider reads no images")]
    ReadsNoImages,
}

/// OpenAI says 429 for two things: too fast, which passes, and this, which doesn't.
const QUOTA_USED_UP: &str = "insufficient_quota";

/// Bedrock's status for an error while the model was at work (`ModelErrorException`).
const MODEL_FAILED: u16 = 424;

impl ProviderError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status {
                status: 429, code, ..
            } => code.as_deref() != Some(QUOTA_USED_UP),
            Self::Status { status, .. } => matches!(*status, 408 | 409 | MODEL_FAILED | 500..),
            Self::Timeout(_) | Self::Connection(_) | Self::Garbled => true,
            Self::Key(error) => error.passes,
            Self::Request(_) | Self::NotSetUp(_) | Self::ReadsNoImages => false,
        }
    }

    /// Whether the key was not accepted: it may have been replaced by another.
    pub(crate) fn is_about_the_key(&self) -> bool {
        matches!(self, Self::Status { status: 401, .. })
    }

    /// What the provider asked us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<CallError> for StageFailure {
    fn from(error: CallError) -> Self {
        let error_type = match error.failure {
            CallFailure::UnknownAgent(_) => "PlanError",
            _ => "ModelError",
        };
        Self {
            error: error.for_client().into(),
            code: error.code().into(),
            error_type: error_type.into(),
            retryable: error.is_worth_a_new_invocation(),
            usages: error.usages,
        }
    }
}

impl CallError {
    pub(crate) fn unknown_agent(unknown: UnknownAgent) -> Self {
        Self {
            asked: "agent",
            failure: CallFailure::UnknownAgent(unknown),
            attempts: 0,
            usages: Vec::new(),
        }
    }

    /// Whether the same call may succeed in a new invocation. If not, the step has failed.
    pub fn is_worth_a_new_invocation(&self) -> bool {
        matches!(
            self.failure,
            CallFailure::OutOfTime | CallFailure::Transient { .. }
        )
    }

    /// How long the provider asked to be left alone, for whoever tries in a new invocation; none when it named no time.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.failure {
            CallFailure::Transient { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The `code` of the error that the client sees.
    pub fn code(&self) -> &'static str {
        match self.failure {
            CallFailure::UnknownAgent(_) => "unknown_agent",
            CallFailure::OutOfTime => "out_of_time",
            CallFailure::Transient { .. } => "model_unavailable",
            CallFailure::Rejected(_) => "model_rejected",
            CallFailure::Misfit(_) => "answer_misfit",
        }
    }

    /// The sentence for the client.
    pub fn for_client(&self) -> &'static str {
        match &self.failure {
            CallFailure::UnknownAgent(_) => {
                "The plan gives a step to an agent that cannot do it: there is no agent of this name."
            }
            CallFailure::OutOfTime => "There was too little time left to ask the model.",
            CallFailure::Transient { .. } => "The model service does not answer at the moment.",
            CallFailure::Rejected(ProviderError::Status { status, .. }) => match status {
                401 | 403 => "The model service did not accept this deployment's credentials.",
                404 => "The model service does not have the model that was asked for.",
                429 => "This deployment's quota at the model service is used up.",
                _ => "The model service refused the request.",
            },
            CallFailure::Rejected(ProviderError::Key(_)) => {
                "This deployment's key for the model service could not be read."
            }
            CallFailure::Rejected(ProviderError::NotSetUp(_)) => {
                "The provider of the model is not set up in this deployment."
            }
            CallFailure::Rejected(ProviderError::ReadsNoImages) => {
                "The model of this deployment cannot read images."
            }
            CallFailure::Rejected(_) => "The model service could not be asked.",
            CallFailure::Misfit(_) => "The model's answers did not have the required form.",
        }
    }
}
