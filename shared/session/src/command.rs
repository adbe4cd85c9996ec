//! The commands that change a session, and the change that a command makes.
//!
//! A worker's command names its run and its epoch, so that a late command is refused.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ApprovalId, ApprovalRequest, ApprovalRow, ApprovalStatus, Epoch, Event, EventBody, Mode,
    OwnerId, Phase, Position, RunId, RunStatus, Seq, SessionId, State, Timestamp,
};

/// The session to create.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSession {
    /// Its id, a UUID of version 7.
    pub id: SessionId,
    /// Its owner.
    pub owner: OwnerId,
    /// Its mode.
    pub mode: Mode,
    /// Its first run, if it is created with a task.
    pub run: Option<NewRun>,
}

/// The run to start.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Its id, a UUID of version 7.
    pub id: RunId,
    /// The task, at most 32 KiB; of a longer task, its beginning.
    pub task: String,
    /// The artifact that holds a longer task in full.
    pub artifact: Option<String>,
    /// The client's own id for the task, if it gave one.
    pub task_id: Option<TaskId>,
    /// The agent, as `list-runs` shows it.
    pub agent: String,
    /// The model, as `list-runs` shows it.
    pub model: String,
}

/// A client's own id for a task, which makes starting it idempotent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskId {
    /// The id as the client gave it, at most 128 characters.
    pub text: String,
    /// The digest that the key in the table contains.
    pub digest: String,
}

/// A request to change a session.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the types document the fields")]
pub enum Command {
    /// A client starts a run.
    StartRun(NewRun),
    /// A client suspends the session. A named run must be the unfinished one.
    Suspend { run: Option<RunId> },
    /// A client resumes the session. `takeover` is the run that continues where a failed run
    /// stopped, with the task of the failed run.
    Resume {
        run: Option<RunId>,
        context: Option<String>,
        takeover: Option<NewRun>,
    },
    /// A client cancels a run.
    Cancel { run: Option<RunId> },
    /// A client answers the open approval.
    Answer(ApprovalAnswer),
    /// A client deletes the session.
    Delete,
    /// A worker takes the lease until a time. `opening` is the start of the stage that follows
    /// the position `at`.
    TakeLease {
        run: RunId,
        until: Timestamp,
        at: Position,
        opening: StageStart,
    },
    /// A worker commits the outcome of a stage. It sets `yield_lease` at the end of its slice.
    Commit {
        run: RunId,
        epoch: Epoch,
        progress: Progress,
        yield_lease: bool,
    },
    /// A worker yields the lease without an outcome.
    YieldLease { run: RunId, epoch: Epoch },
    /// The sweeper does the due action.
    Recover,
    /// A wake message of this epoch failed too often.
    DeadLetter { run: RunId, epoch: Epoch },
}

/// A person's answer to an approval.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalAnswer {
    /// The approval.
    pub approval: ApprovalId,
    /// One of its options.
    pub resolution: String,
    /// Free text of the person.
    pub feedback: Option<String>,
    /// The requested modifications, as JSON.
    pub modifications: Option<Value>,
    /// The subject of the person's token.
    pub by: String,
}

/// The start of a stage: the position of the engine and the events that announce it.
#[derive(Debug, Clone, PartialEq)]
pub struct StageStart {
    /// The position of the stage that begins.
    pub position: Position,
    /// The phase of the session during the stage.
    pub phase: Phase,
    /// The step of the session during the stage.
    pub step: Option<u32>,
    /// The events, such as `phase_change`, `step_start` and `dag_node_status_changed`.
    pub events: Vec<EventBody>,
    /// Where workers begin to read the record from now on; `None` leaves it unchanged. The same
    /// commit repeats the earlier facts that workers still need.
    pub history_from: Option<Seq>,
}

/// The outcome of a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The position of the engine during the work.
    pub at: Position,
    /// The events of the work: messages, costs, the end of the node. They are kept also if the
    /// session was suspended meanwhile.
    pub work: Vec<EventBody>,
    /// Cost of the model calls in `work` in US dollars, as far as prices are known.
    pub cost_usd: f64,
    /// Tokens of the model calls in `work`.
    pub tokens: u64,
    /// What follows the stage.
    pub next: Next,
}

impl Progress {
    /// The failure of the run in place of a progress that cannot be stored. What it cost is kept.
    #[must_use]
    pub fn failed(&self, failure: RunFailure) -> Self {
        let costs = self.work.iter();
        let costs = costs.filter(|event| matches!(event, EventBody::CostUpdate { .. }));
        Self {
            work: costs.cloned().collect(),
            next: Next::Fail(failure),
            ..*self
        }
    }
}

/// What follows a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// The next stage.
    Advance(StageStart),
    /// Another try of the same stage, with a later message.
    RetryLater {
        /// How often this try has called a model's provider.
        calls: u32,
    },
    /// An approval. The engine keeps its position and reads the answer there.
    Ask(Box<ApprovalRequest>),
    /// The end of a run that succeeded, with its `result` event.
    Complete(Box<EventBody>),
    /// The failure of the stage and of the run.
    Fail(RunFailure),
}

/// Why a run fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFailure {
    /// One sentence for the client.
    pub error: String,
    /// The error code.
    pub code: String,
    /// The `error_type` of the event.
    pub error_type: String,
}

/// The durations that decisions depend on. The configuration of the deployment sets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The pause before a wake message is sent again for the first time.
    pub requeue: Duration,
    /// How long an approval stays open.
    pub approval_ttl: Duration,
    /// How long an active session without a run may be idle.
    pub idle_ttl: Duration,
    /// The pause between the delete and the purge: longer than any function runs.
    pub purge_delay: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            requeue: Duration::from_secs(30),
            approval_ttl: Duration::from_secs(7 * 24 * 3600),
            idle_ttl: Duration::from_secs(24 * 3600),
            purge_delay: Duration::from_secs(20 * 60),
        }
    }
}

/// What a command changes: the events to append, the state after them, and the rows of lists.
///
/// Without events there is nothing to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The events to append, in order.
    pub events: Vec<Event>,
    /// The state after the events.
    pub state: State,
    /// The rows that the same transaction writes.
    pub row_changes: Vec<RowChange>,
}

/// A change to a row beside the log, written in the transaction of the log entry.
#[derive(Debug, Clone, PartialEq)]
pub enum RowChange {
    /// A run was created.
    RunStarted(RunRow),
    /// A run ended. Its task id is kept for one more day.
    RunEnded(RunEnd),
    /// An approval was requested.
    ApprovalAsked(ApprovalRow),
    /// An approval is no longer open.
    ApprovalClosed(ApprovalEnd),
}

/// The row of a run, in the shape of the contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Run")]
#[allow(
    missing_docs,
    reason = "the fields are the contract's, documented there"
)]
pub struct RunRow {
    pub id: RunId,
    pub task_id: Option<String>,
    pub mode: Mode,
    pub agent: String,
    pub model: String,
    pub status: RunStatus,
    /// The task's first 2,000 characters.
    pub task_description: String,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub is_branch: bool,
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_from: Option<RunId>,
    pub meta: Value,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// The run.
    pub id: RunId,
    /// Its final status.
    pub status: RunStatus,
    /// When a worker took it for the first time.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Timestamp,
    /// The error of a failed run.
    pub error: Option<String>,
    /// The digest of its task id, if it has one.
    pub task_key: Option<String>,
}

/// How an approval ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalEnd {
    /// The approval.
    pub id: ApprovalId,
    /// Its final status: resolved, expired or cancelled.
    pub status: ApprovalStatus,
    /// The answer, if one was given.
    pub answer: Option<ApprovalAnswer>,
    /// When it ended.
    pub at: Timestamp,
}
