//! What can go wrong, seen by the caller: an answer (`Refused`, `KeyTaken`), a limit (`TooLarge`), or trouble below.
//!
//! A lost race is an answer with the state that won, never a text. Trouble with the service keeps its source, and is asked
//! questions (`is_throttled()`), so that nobody has to read an error text.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use session::{Refusal, State};

use crate::RequestKeyItem;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a session was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The domain says no; with the state that it said no to, unless that is not the caller's to see.
    #[error("{0}")]
    Refused(Refusal, Option<Box<State>>),
    /// The client's key was used before.
    #[error("the request key was used before, for session {}", .0.session_id)]
    KeyTaken(Box<RequestKeyItem>),
    /// More than the table, or a client, can take. Trying again does not help.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Others were first, too often. Trying again later helps.
    #[error("the session changed faster than this commit could follow")]
    Contention,
    /// The service did not answer, or not as it should. Trying again later may help.
    #[error(transparent)]
    Unavailable(#[from] StorageError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl ChangeError {
    /// The domain's refusal, if it is one.
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

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It does not exist, was deleted, or is somebody else's: the same answer for all three.
    #[error("there is no such session")]
    NoSuchSession,
    /// The session has no such run.
    #[error("the session has no such run")]
    NoSuchRun,
    /// The session has no such approval, open or closed.
    #[error("the session has no such approval")]
    NoSuchApproval,
    /// The cursor was not made by us, or for another question.
    #[error("the cursor does not belong to this list")]
    BadCursor,
    /// The service did not answer, or not as it should. Trying again later may help.
    #[error(transparent)]
    Unavailable(#[from] StorageError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Something is larger than its limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} has {size} {unit}, {limit} are allowed")]
pub struct TooLarge {
    /// What, in words.
    pub what: &'static str,
    /// How large it is.
    pub size: usize,
    /// How large it may be.
    pub limit: usize,
    /// What is counted.
    pub unit: &'static str,
}

/// A stored item is not what this version can read.
#[derive(Debug, thiserror::Error)]
#[error("a stored {what} cannot be read")]
pub struct Malformed {
    what: &'static str,
    #[source]
    source: Source,
}

impl Malformed {
    pub(crate) fn new(what: &'static str, source: impl Into<Source>) -> Self {
        Self {
            what,
            source: source.into(),
        }
    }
}

/// DynamoDB did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB {operation} failed{}", .code.as_deref().map(|code| format!(" with {code}")).unwrap_or_default())]
pub struct StorageError {
    operation: &'static str,
    code: Option<String>,
    #[source]
    source: Source,
}

/// The codes by which DynamoDB says "too much at once".
const THROTTLED: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottlingError",
];

/// The codes by which DynamoDB says that a transaction was at the same item, or that the first sending of this one still is.
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

    /// The same with the word that says more: a cancelled transaction has one for each of its items.
    pub(crate) fn because_of(mut self, code: Option<String>) -> Self {
        if code.is_some() {
            self.code = code;
        }
        self
    }

    /// DynamoDB left a part of a batch undone, however often it was asked.
    pub(crate) fn left_over(operation: &'static str) -> Self {
        Self {
            operation,
            code: Some("ThrottlingException".into()),
            source: "a part of the batch stayed unprocessed".into(),
        }
    }

    /// DynamoDB's word for what happened, where there was an answer at all.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whether DynamoDB asked for less at once.
    pub fn is_throttled(&self) -> bool {
        self.code().is_some_and(is_throttle)
    }

    /// Whether another transaction was at the same item.
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
