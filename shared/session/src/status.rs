//! The words for where a session and a run stand.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every value, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that clients see and the table stores.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownValue;

            fn from_str(text: &str) -> Result<Self, UnknownValue> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or(UnknownValue)
            }
        }
    };
}

/// The text is none of the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown word")]
pub struct UnknownValue;

words! {
    /// Where a session stands.
    SessionStatus {
        /// A run is live, or a task is awaited.
        Active = "active",
        /// It waits for a person.
        Suspended = "suspended",
        /// Its last run succeeded.
        Completed = "completed",
        /// Nothing happened in it for too long.
        Expired = "expired",
    }
}

words! {
    /// Where a run stands; the last three are final.
    RunStatus {
        /// It waits for a worker.
        Queued = "queued",
        /// A worker has begun it.
        Running = "running",
        /// It waits for a person's answer.
        WaitingApproval = "waiting_approval",
        /// A person stopped it for a while.
        Paused = "paused",
        /// It succeeded.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
        /// A person ended it.
        Cancelled = "cancelled",
    }
}

impl RunStatus {
    /// Whether the run has ended for good.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether a worker should be at it: somebody owes it a message.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

words! {
    /// Where within its work a session stands; which phases a mode has is in the contract's first table.
    Phase {
        /// Nothing has begun.
        Init = "init",
        /// Copilot chooses who works.
        Routing = "routing",
        /// An agent works on the task.
        Execution = "execution",
        /// A plan is drafted and reviewed.
        Planning = "planning",
        /// The plan's steps are carried out.
        Control = "control",
        /// A plan is drafted together with a person.
        HitlPlanning = "hitl_planning",
        /// The plan's steps are carried out together with a person.
        HitlControl = "hitl_control",
        /// Text or references are taken from documents.
        Extraction = "extraction",
        /// Papers are fetched.
        Download = "download",
        /// Papers are summarized.
        Summarize = "summarize",
        /// Artifacts are written.
        Output = "output",
        /// The run succeeded.
        Completed = "completed",
        /// The run failed.
        Failed = "failed",
    }
}

words! {
    /// Why a session is suspended.
    SuspendReason {
        /// A person suspended it or cancelled its run.
        UserRequested = "user_requested",
        /// A question to a person is open.
        ApprovalRequired = "approval_required",
        /// Nobody answered the question in time.
        ApprovalExpired = "approval_expired",
        /// Its run failed.
        RunFailed = "run_failed",
    }
}

words! {
    /// Where a question to a person stands.
    ApprovalStatus {
        /// It waits for its answer.
        Pending = "pending",
        /// It was answered.
        Resolved = "resolved",
        /// Nobody answered it in time.
        Expired = "expired",
        /// Its run was cancelled.
        Cancelled = "cancelled",
    }
}

words! {
    /// Where a node of a run's graph stands.
    NodeStatus {
        /// Its work has not begun.
        Pending = "pending",
        /// Its work has begun.
        Running = "running",
        /// Its work is done.
        Completed = "completed",
        /// Its work failed.
        Failed = "failed",
        /// It was left out.
        Skipped = "skipped",
    }
}
