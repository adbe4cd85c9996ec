//! Why a command changes nothing.
//!
//! A refusal is an answer, not an accident: each has a code, and the sentence that a client reads.

use crate::{Mode, RunId, RunStatus, SessionStatus};

/// Why a command was refused. Its text is the sentence for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It does not exist, was deleted, or is somebody else's: the same answer for all three.
    #[error("There is no such session.")]
    NoSuchSession,
    /// The session has no such run.
    #[error("The session has no such run.")]
    NoSuchRun,
    /// The session has no such approval; for a command: none that is open.
    #[error("The session has no such approval.")]
    NoSuchApproval,
    /// Only an active session can be suspended.
    #[error("The session is {0}, so it cannot be suspended.")]
    NotActive(SessionStatus),
    /// A live run in a mode without resume.
    #[error("A run in mode {0} cannot be suspended and resumed; cancel it instead.")]
    CancelInstead(Mode),
    /// Only a suspended session can be resumed.
    #[error("The session is {0}, so it cannot be resumed.")]
    NotSuspended(SessionStatus),
    /// The mode has no resume.
    #[error("Mode {0} does not support resuming.")]
    NoResume(Mode),
    /// An answer is awaited.
    #[error(
        "The session waits for an answer to its open approval; resolve it instead of resuming."
    )]
    ApprovalOpen,
    /// No run is paused or failed.
    #[error("The session has no paused or failed run to resume; start a new run instead.")]
    NothingToResume,
    /// One run at a time.
    #[error("Run {run_id} is {status}; a session does one run at a time.")]
    RunUnfinished {
        /// The run that stands in the way.
        run_id: RunId,
        /// Where it stands.
        status: RunStatus,
    },
    /// A further task in a mode without resume.
    #[error("Mode {0} does not continue a session; create a new one for a further task.")]
    CannotContinue(Mode),
    /// The run is over.
    #[error("The run has already ended as {0}.")]
    RunEnded(RunStatus),
    /// Not one of the approval's options.
    #[error("The answer must be one of: {0}.")]
    NotAnOption(String),
    /// The approval's time is over.
    #[error("The approval has expired; resume the session to be asked again.")]
    ApprovalLapsed,

    /// For a worker: the run is no longer its own, or has ended.
    #[error("the run was taken over or has ended")]
    Overtaken,
    /// For a worker: another one holds the lease.
    #[error("another worker holds the lease")]
    Leased,
    /// For a worker: the run waits for a person.
    #[error("the run waits for a person")]
    NotRunnable,
    /// For a worker: the engine moved on since the state was read.
    #[error("the engine has moved on")]
    Moved,
    /// For the clock: nothing is due.
    #[error("nothing is due")]
    NotDue,
}

impl Refusal {
    /// The word for programs.
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
