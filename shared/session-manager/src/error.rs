//! The errors of this crate: an answer (`Refused`, `KeyTaken`), a limit (`TooLarge`), or a fault of
//! the storage.
//!
//! A refusal has the state that it was decided on. An error of the service keeps its source and has
//! predicates (`is_throttled()`), so that no caller parses an error text.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use session::{Refusal, State};

use crate::dynamo::item::{Cause, Malformed};
use crate::dynamo::items::RequestKeyItem;
use crate::owner_limits::LimitReached;

/// Why a session was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The domain refuses the command, decided on this state. The state is absent where the caller
    /// may not see it.
    #[error("{0}")]
    Refused(Refusal, Option<Box<State>>),
    /// The client's request key was used before.
    #[error("the request key was used before, for session {}", .0.session_id)]
    KeyTaken(Box<RequestKeyItem>),
    /// The owner has used up a limit. A later retry helps.
    #[error(transparent)]
    Limited(#[from] LimitReached),
    /// More than the table or a client accepts. A retry does not help.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// What would be written could not be read again, so it is not written. A retry does not help.
    #[error("what would be written could not be read again")]
    Unstorable(#[source] Malformed),
    /// Other commits were first on every try. A later retry helps.
    #[error("the session changed faster than this commit could follow")]
    Contention,
    /// The service did not answer, or failed. A later retry may help.
    #[error(transparent)]
    Unavailable(#[from] StorageError),
    /// A stored item cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl ChangeError {
    /// The domain's refusal, if the error is one.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal, _) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Contention | Self::Unavailable(_))
    }
}

impl From<ReadError> for ChangeError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NoSuchSession | ReadError::BadCursor => {
                Self::Refused(Refusal::NoSuchSession, None)
            }
            ReadError::NoSuchRun => Self::Refused(Refusal::NoSuchRun, None),
            ReadError::NoSuchApproval => Self::Refused(Refusal::NoSuchApproval, None),
            ReadError::Unavailable(error) => Self::Unavailable(error),
            ReadError::Malformed(error) => Self::Malformed(error),
        }
    }
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The session does not exist, was deleted, or has another owner. All three look the same.
    #[error("there is no such session")]
    NoSuchSession,
    /// The session has no such run.
    #[error("the session has no such run")]
    NoSuchRun,
    /// The session has no such approval, open or closed.
    #[error("the session has no such approval")]
    NoSuchApproval,
    /// The cursor is not valid, or belongs to another list or filter.
    #[error("the cursor does not belong to this list")]
    BadCursor,
    /// The service did not answer, or failed. A later retry may help.
    #[error(transparent)]
    Unavailable(#[from] StorageError),
    /// A stored item cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Something is larger than its limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} has {size} {unit}, {limit} are allowed")]
pub struct TooLarge {
    /// What is too large, in words.
    pub what: &'static str,
    /// How large it is.
    pub size: usize,
    /// How large it may be.
    pub limit: usize,
    /// What is counted.
    pub unit: &'static str,
}

/// A request to DynamoDB failed.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB {operation} failed{}", .code.as_deref().map(|code| format!(" with {code}")).unwrap_or_default())]
pub struct StorageError {
    operation: &'static str,
    code: Option<String>,
    #[source]
    source: Cause,
}

/// The codes of a throttled request.
const THROTTLED: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottlingError",
];

/// The codes of a conflict with another transaction on the same item, or with the first attempt of
/// the same transaction.
const CONFLICT: [&str; 3] = [
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
];

impl StorageError {
    pub(crate) fn of<E>(operation: &'static str, error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        Self {
            operation,
            code: error.code().map(ToOwned::to_owned),
            source: error.into(),
        }
    }

    /// Replaces the code with a more specific one: a cancelled transaction has one for each item.
    pub(crate) fn with_code(mut self, code: Option<String>) -> Self {
        if code.is_some() {
            self.code = code;
        }
        self
    }

    /// DynamoDB left a part of a batch unprocessed on every try.
    pub(crate) fn unprocessed(operation: &'static str) -> Self {
        Self {
            operation,
            code: Some("ThrottlingException".into()),
            source: "a part of the batch stayed unprocessed".into(),
        }
    }

    /// DynamoDB's error code, where there was a response.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whether DynamoDB throttled the request.
    pub fn is_throttled(&self) -> bool {
        self.code().is_some_and(is_throttle)
    }

    /// Whether another transaction was writing the same item.
    pub fn is_conflict(&self) -> bool {
        self.code().is_some_and(is_conflict)
    }
}

pub(crate) fn is_throttle(code: &str) -> bool {
    THROTTLED.contains(&code)
}

pub(crate) fn is_conflict(code: &str) -> bool {
    CONFLICT.contains(&code)
}
