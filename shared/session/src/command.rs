//! What anybody may want of a session, and what comes of it.
//!
//! A command says which run and which epoch it means, so that a late one can be told from a fresh one.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ApprovalId, ApprovalRequest, ApprovalRow, ApprovalStatus, Epoch, Event, EventBody, Mode,
    OwnerId, Phase, Position, RunId, RunStatus, Seq, SessionId, State, Timestamp,
};

/// A session to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSession {
    /// Its id, version 7.
    pub id: SessionId,
    /// Whose it is.
    pub owner: OwnerId,
    /// What kind of work it does.
    pub mode: Mode,
    /// The task that it starts with, if any.
    pub run: Option<NewRun>,
}

/// A run to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Its id, version 7.
    pub id: RunId,
    /// The task, or its beginning where the whole is an artifact: at most 32 KiB.
    pub task: String,
    /// The artifact that holds the whole of a longer task.
    pub artifact: Option<String>,
    /// The client's own id for the task, and the digest under which it is remembered.
    pub task_id: Option<TaskId>,
    /// The agent that answers, as `list-runs` shows it.
    pub agent: String,
    /// The model that is asked, as `list-runs` shows it.
    pub model: String,
}

/// A client's own id for a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskId {
    /// As the client gave it, at most 128 characters.
    pub text: String,
    /// What the key in the table is made of.
    pub digest: String,
}

/// What somebody wants of a session.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "the fields say what their types say; each variant has its sentence"
)]
pub enum Command {
    /// A client brings a task.
    StartRun(NewRun),
    /// A client suspends; a named run must be the unfinished one.
    Suspend { run: Option<RunId> },
    /// A client resumes. `takeover` is the run that goes on where a failed one stopped; its task is the failed run's.
    Resume {
        run: Option<RunId>,
        context: Option<String>,
        takeover: Option<NewRun>,
    },
    /// A client ends a run.
    Cancel { run: Option<RunId> },
    /// A client answers a question.
    Answer(ApprovalAnswer),
    /// A client deletes the session.
    Delete,
    /// A worker wants to work until a moment. `opening` tells what begins, for the position that it was made from.
    TakeLease {
        run: RunId,
        until: Timestamp,
        at: Position,
        opening: StageStart,
    },
    /// A worker brings what came of a step; `yield_lease` when its time is up.
    Commit {
        run: RunId,
        epoch: Epoch,
        progress: Progress,
        yield_lease: bool,
    },
    /// A worker's time is up before it did anything.
    YieldLease { run: RunId, epoch: Epoch },
    /// The clock: do what is overdue.
    Recover,
    /// A message for this run could not be handled, sent when the lease stood at this epoch.
    DeadLetter { run: RunId, epoch: Epoch },
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalAnswer {
    /// Which question.
    pub approval: ApprovalId,
    /// One of its options.
    pub resolution: String,
    /// In the person's words.
    pub feedback: Option<String>,
    /// What to change, as JSON.
    pub modifications: Option<Value>,
    /// The subject of the person's token.
    pub by: String,
}

/// The beginning of a stage: where the engine then stands, and what the record tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StageStart {
    /// The stage that begins.
    pub position: Position,
    /// The session's phase from then on.
    pub phase: Phase,
    /// The session's step from then on.
    pub step: Option<u32>,
    /// `phase_change`, `step_start`, node running, …
    pub events: Vec<EventBody>,
    /// Where a worker begins to read from now on; none leaves it where it was. What lies before and must be known is told
    /// again in the same commit.
    pub history_from: Option<Seq>,
}

/// What came of a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Where the engine stood when the work was done.
    pub at: Position,
    /// What was done: messages, costs, the node's end. Kept whatever happened to the session meanwhile.
    pub work: Vec<EventBody>,
    /// US dollars of the calls in `work`, as far as known.
    pub cost_usd: f64,
    /// Tokens of the calls in `work`.
    pub tokens: u64,
    /// What follows.
    pub next: Next,
}

/// What follows a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// The engine goes on.
    Advance(StageStart),
    /// The same stage is tried again, in a later message.
    RetryLater,
    /// A person is asked; the engine stays where it is and finds the answer there.
    Ask(Box<ApprovalRequest>),
    /// The run has succeeded; the `result`.
    Complete(Box<EventBody>),
    /// The stage, and with it the run, has failed.
    Fail(RunFailure),
}

/// Why a run fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFailure {
    /// One sentence for the client.
    pub error: String,
    /// The word for programs.
    pub code: String,
    /// The kind of error, as `error_type`.
    pub error_type: String,
}

/// The durations that decisions depend on; all come from the deployment's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long a message may take before it is sent again the first time.
    pub requeue: Duration,
    /// How long a question stays open.
    pub approval_ttl: Duration,
    /// How long an active session may do nothing.
    pub idle_ttl: Duration,
    /// How long after a delete its items are purged: longer than any function lives.
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

/// What a command makes of a session: events to append, the state after them, and the rows that lists show.
///
/// No events means that the command asks for what is already so: nothing is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What to append, in order.
    pub events: Vec<Event>,
    /// The state after it.
    pub state: State,
    /// Which rows the same transaction writes.
    pub row_changes: Vec<RowChange>,
}

/// A row beside the log, written in the transaction of its entry.
#[derive(Debug, Clone, PartialEq)]
pub enum RowChange {
    /// A run begins to exist.
    RunStarted(RunRow),
    /// A run has ended; a task id is remembered for a day from then on.
    RunEnded(RunEnd),
    /// A question was asked.
    ApprovalAsked(ApprovalRow),
    /// A question is no longer open.
    ApprovalClosed(ApprovalEnd),
}

/// A run, in the shape of the contract.
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
    /// Which run.
    pub id: RunId,
    /// One of the final statuses.
    pub status: RunStatus,
    /// When a worker began it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Timestamp,
    /// Why it failed.
    pub error: Option<String>,
    /// The digest of its task id.
    pub task_key: Option<String>,
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalEnd {
    /// Which question.
    pub id: ApprovalId,
    /// Resolved, expired or cancelled.
    pub status: ApprovalStatus,
    /// The answer, where there was one.
    pub answer: Option<ApprovalAnswer>,
    /// When.
    pub at: Timestamp,
}
