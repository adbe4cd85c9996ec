//! Errors of model calls.
//!
//! The caller can distinguish a temporary failure from a permanent one without knowing the
//! provider. The client receives a message without text of the provider. The log receives the cause
//! without the question and the answer.

use std::time::Duration;

use workflow::{StageFailure, Usage};

use crate::{NotSetUp, UnknownAgent, form::Misfit, providers::KeyError};

/// A call without a valid answer. `usages` has its cost.
#[derive(Debug, thiserror::Error)]
#[error("the {asked} did not answer")]
pub struct CallError {
    /// What was called: an agent's id, or [`PAGE_READER`](crate::PAGE_READER).
    pub asked: &'static str,
    /// Why there is no answer.
    #[source]
    pub failure: CallFailure,
    /// The number of invalid answers.
    pub attempts: u32,
    /// The number of requests to the provider.
    pub calls: u32,
    /// Whether the stage may make further requests.
    pub may_call_again: bool,
    /// One entry per reply of the model.
    pub usages: Vec<Usage>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallFailure {
    /// The request names an agent that does not exist or that cannot do a step.
    #[error(transparent)]
    UnknownAgent(UnknownAgent),
    /// The time before the deadline is shorter than a whole call and the margin. Retry in a new
    /// invocation.
    #[error("too little time was left for a model call")]
    OutOfTime,
    /// The provider failed temporarily until the time was used up. Retry in a new invocation, after
    /// `retry_after`.
    #[error("the model provider is failing for the moment")]
    Transient {
        /// The next pause of the backoff, or the longer one that the provider asked for.
        retry_after: Duration,
        /// The last error.
        source: ProviderError,
    },
    /// The provider refused the request permanently.
    #[error("the model provider refused the request")]
    Rejected(#[source] ProviderError),
    /// No answer matched its schema. The source is the fault of the last one.
    #[error("no answer had the required form")]
    Misfit(#[source] Misfit),
}

impl CallFailure {
    /// The failure after an answer without a fault to name. A later call would be identical to the
    /// one that was answered so, and is not made.
    pub(crate) fn after(self, last: Option<Misfit>) -> Self {
        match (self, last) {
            (Self::OutOfTime | Self::Transient { .. }, Some(misfit))
                if misfit.most_attempts() < u32::MAX =>
            {
                Self::Misfit(misfit)
            }
            (failure, _) => failure,
        }
    }
}

/// An error between this crate and a provider. Contains codes, never the provider's messages.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// An HTTP status other than success, or an error in the body of a success.
    #[error("status {status}, code {}", code.as_deref().unwrap_or("-"))]
    Status {
        /// The HTTP status, or the one that the error in the body stands for.
        status: u16,
        /// The provider's code, e.g. `insufficient_quota`.
        code: Option<String>,
        /// The wait that the service asked for.
        retry_after: Option<Duration>,
    },
    /// No answer within the timeout.
    #[error("no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// No connection, or one that closed before the whole answer.
    #[error("the connection failed")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A successful response that holds no answer in any known form.
    #[error("the reply was not what the protocol says")]
    Garbled,
    /// The request could not be built.
    #[error("the request could not be made")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The key of the service could not be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The model's provider is not set up.
    #[error(transparent)]
    NotSetUp(#[from] NotSetUp),
    /// The provider has no model that reads images.
    #[error("the provider reads no images")]
    ReadsNoImages,
}

/// OpenAI sends 429 for rate limits, which are temporary, and with this code for an exhausted
/// quota, which is permanent.
const QUOTA_USED_UP: &str = "insufficient_quota";

/// Bedrock's status for an error of the model during a request (`ModelErrorException`).
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

    /// Whether the key was refused. It may have been rotated.
    pub(crate) fn is_about_the_key(&self) -> bool {
        matches!(self, Self::Status { status: 401, .. })
    }

    /// The wait that the provider asked for.
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
            calls: error.calls,
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
            calls: 0,
            may_call_again: true,
            usages: Vec::new(),
        }
    }

    /// Whether the same call may succeed in a new invocation. If not, the step has failed.
    pub fn is_worth_a_new_invocation(&self) -> bool {
        let passes = matches!(
            self.failure,
            CallFailure::OutOfTime | CallFailure::Transient { .. }
        );
        passes && self.may_call_again
    }

    /// The wait before a retry in a new invocation.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.failure {
            CallFailure::Transient { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// The `code` of the error that the client sees.
    pub fn code(&self) -> &'static str {
        match &self.failure {
            CallFailure::UnknownAgent(_) => "unknown_agent",
            CallFailure::OutOfTime => "out_of_time",
            CallFailure::Transient { .. } => "model_unavailable",
            CallFailure::Rejected(ProviderError::Garbled) => "model_unreadable",
            CallFailure::Rejected(_) => "model_rejected",
            CallFailure::Misfit(misfit) => misfit.code(),
        }
    }

    /// The message for the client.
    pub fn for_client(&self) -> &'static str {
        match &self.failure {
            CallFailure::UnknownAgent(_) => {
                "The plan gives a step to an agent that cannot do it: there is no agent of this name."
            }
            CallFailure::OutOfTime => "There was too little time left to ask the model.",
            CallFailure::Transient { .. } => "The model service does not answer at the moment.",
            CallFailure::Rejected(ProviderError::Status { status, .. }) => match status {
                300..=399 => "The model service refers to another address, which is not asked.",
                401 | 403 => "The model service did not accept this deployment's credentials.",
                402 | 429 => "This deployment's quota at the model service is used up.",
                404 => "The model service does not have the model that was asked for.",
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
            CallFailure::Rejected(ProviderError::Garbled) => {
                "The model service's replies could not be read."
            }
            CallFailure::Rejected(_) => "The model service could not be asked.",
            CallFailure::Misfit(misfit) => misfit.for_client(),
        }
    }
}
