//! The statuses of sessions, runs, approvals and nodes, with the text of each value.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every value, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The text that clients see and the table stores.
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
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or(UnknownValue)
            }
        }
    };
}

/// The text is not a value of the enum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown word")]
pub struct UnknownValue;

text_enum! {
    /// The status of a session.
    SessionStatus {
        /// It has a live run, or waits for a task.
        Active = "active",
        /// It waits for a person.
        Suspended = "suspended",
        /// Its last run succeeded.
        Completed = "completed",
        /// It was idle for too long.
        Expired = "expired",
    }
}

text_enum! {
    /// The status of a run; the last three are final.
    RunStatus {
        /// It waits for a worker.
        Queued = "queued",
        /// A worker has taken it.
        Running = "running",
        /// It waits for the answer to an approval.
        WaitingApproval = "waiting_approval",
        /// A person suspended it.
        Paused = "paused",
        /// It succeeded.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
        /// A person cancelled it.
        Cancelled = "cancelled",
    }
}

impl RunStatus {
    /// Whether the run has ended.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether the run needs a worker, and so a wake message while no worker holds the lease.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

text_enum! {
    /// The phase of a session. The first table of the contract lists the phases of each mode.
    Phase {
        /// Nothing has begun.
        Init = "init",
        /// Copilot chooses a route.
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
        /// Text or references are extracted from documents.
        Extraction = "extraction",
        /// Papers are downloaded.
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

text_enum! {
    /// Why a session is suspended.
    SuspendReason {
        /// A person suspended it or cancelled its run.
        UserRequested = "user_requested",
        /// An approval is open.
        ApprovalRequired = "approval_required",
        /// The approval expired without an answer.
        ApprovalExpired = "approval_expired",
        /// Its run failed.
        RunFailed = "run_failed",
    }
}

text_enum! {
    /// The status of an approval.
    ApprovalStatus {
        /// It waits for its answer.
        Pending = "pending",
        /// It was answered.
        Resolved = "resolved",
        /// It expired without an answer.
        Expired = "expired",
        /// Its run was cancelled.
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// The status of a node in the graph of a run.
    NodeStatus {
        /// Its work has not begun.
        Pending = "pending",
        /// Its work has begun.
        Running = "running",
        /// Its work is complete.
        Completed = "completed",
        /// Its work failed.
        Failed = "failed",
        /// It was skipped.
        Skipped = "skipped",
    }
}
