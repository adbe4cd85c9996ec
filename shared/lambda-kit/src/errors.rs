//! The session manager's errors, as clients see them.

use std::time::Duration;

use session_manager::{ChangeError, LimitReached, ReadError};

use crate::{Code, Problem};

/// When a client asks again for a place among its live runs: most steps take that long.
const RUNS_RETRY: Duration = Duration::from_secs(10);

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal, _) => refusal.into(),
            ChangeError::TooLarge(limit) => {
                Self::new(Code::TooLarge, format!("It is too large: {limit}."))
            }
            ChangeError::Unstorable(_) => Self::new(
                Code::InvalidField,
                "The request has JSON that cannot be stored.",
            ),
            ChangeError::KeyTaken(_) => Self::new(
                Code::KeyReused,
                "The Idempotency-Key was used before, for another request.",
            ),
            ChangeError::Limited(limit) => limit.into(),
            ChangeError::Contention | ChangeError::Unavailable(_) => Self::unavailable(error),
            ChangeError::Malformed(_) => Self::internal(error),
        }
    }
}

impl From<LimitReached> for Problem {
    fn from(reached: LimitReached) -> Self {
        let (code, retry_after) = match reached {
            LimitReached::LiveRuns(_) => (Code::TooManyRuns, RUNS_RETRY),
            LimitReached::DaysCosts { renewed_in } => (Code::BudgetSpent, renewed_in),
            LimitReached::DaysUploads { renewed_in, .. } => (Code::TooManyBytes, renewed_in),
        };
        Self::new(code, reached.to_string()).retry_after(retry_after)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NoSuchSession => session::Refusal::NoSuchSession.into(),
            ReadError::NoSuchRun => session::Refusal::NoSuchRun.into(),
            // The refusal of the same code has a sentence about open approvals alone.
            ReadError::NoSuchApproval => {
                Self::new(Code::ApprovalNotFound, "The session has no such approval.")
            }
            ReadError::BadCursor => Self::new(
                Code::BadCursor,
                "The cursor is not one of this list; begin again without it.",
            ),
            ReadError::Unavailable(_) => Self::unavailable(error),
            ReadError::Malformed(_) => Self::internal(error),
        }
    }
}
