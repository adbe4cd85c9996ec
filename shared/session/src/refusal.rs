//! The reasons to refuse a command. Each has a code and a sentence for the client.

use crate::{Mode, RunId, RunStatus, SessionStatus};

/// Why a command is refused. Its `Display` text is the sentence for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The session does not exist, was deleted, or has another owner. The three are not told apart.
    #[error("There is no such session.")]
    NoSuchSession,
    /// The session has no such run.
    #[error("The session has no such run.")]
    NoSuchRun,
    /// The session has no such approval, or it is not open.
    #[error("The session has no such approval.")]
    NoSuchApproval,
    /// Only an active session can be suspended.
    #[error("The session is {0}, so it cannot be suspended.")]
    NotActive(SessionStatus),
    /// The mode of the live run has no resume.
    #[error("A run in mode {0} cannot be suspended and resumed; cancel it instead.")]
    CancelInstead(Mode),
    /// Only a suspended session can be resumed.
    #[error("The session is {0}, so it cannot be resumed.")]
    NotSuspended(SessionStatus),
    /// The mode has no resume.
    #[error("Mode {0} does not support resuming.")]
    NoResume(Mode),
    /// The open approval must be answered first.
    #[error(
        "The session waits for an answer to its open approval; resolve it instead of resuming."
    )]
    ApprovalOpen,
    /// No run is paused or failed.
    #[error("The session has no paused or failed run to resume; start a new run instead.")]
    NothingToResume,
    /// The session already has an unfinished run.
    #[error("Run {run_id} is {status}; a session does one run at a time.")]
    RunUnfinished {
        /// The unfinished run.
        run_id: RunId,
        /// Its status.
        status: RunStatus,
    },
    /// The mode allows no further task after a completed one.
    #[error("Mode {0} does not continue a completed session; create a new one for a further task.")]
    CannotContinue(Mode),
    /// The run has ended.
    #[error("The run has already ended as {0}.")]
    RunEnded(RunStatus),
    /// The resolution is not an option of the approval.
    #[error("The answer must be one of: {0}.")]
    NotAnOption(String),
    /// The approval has expired.
    #[error("The approval has expired; resume the session to be asked again.")]
    ApprovalLapsed,

    /// For a worker: it no longer holds the lease, or the run has ended.
    #[error("the run was taken over or has ended")]
    Overtaken,
    /// For a worker: another worker holds the lease.
    #[error("another worker holds the lease")]
    Leased,
    /// For a worker: the run is paused or waits for an approval.
    #[error("the run waits for a person")]
    NotRunnable,
    /// For a worker: the position of the engine has changed since the state was read.
    #[error("the engine has moved on")]
    Moved,
    /// For the sweeper and the dead-letter function: nothing is due.
    #[error("nothing is due")]
    NotDue,
}

impl Refusal {
    /// The error code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchSession => "session_not_found",
            Self::NoSuchRun => "run_not_found",
            Self::NoSuchApproval => "approval_not_found",
            Self::NotActive(_) => "session_not_active",
            Self::CancelInstead(_) => "run_cannot_pause",
            Self::NotSuspended(_) => "session_not_suspended",
            Self::NoResume(_) => "mode_without_resume",
            Self::ApprovalOpen => "approval_open",
            Self::NothingToResume => "nothing_to_resume",
            Self::RunUnfinished { .. } => "run_unfinished",
            Self::CannotContinue(_) => "mode_cannot_continue",
            Self::RunEnded(_) => "run_ended",
            Self::NotAnOption(_) => "not_an_option",
            Self::ApprovalLapsed => "approval_expired",
            Self::Overtaken => "overtaken",
            Self::Leased => "leased",
            Self::NotRunnable => "not_runnable",
            Self::Moved => "moved",
            Self::NotDue => "not_due",
        }
    }
}
