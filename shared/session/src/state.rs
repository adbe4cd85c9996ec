//! Where a session stands: the part of an entry that says, alone, what may happen next.
//!
//! Small and typed, under 1 KB as JSON. Nothing in it grows with a run: plan, outputs, error texts and costs are events,
//! and the state holds at most the `seq` where they stand. It carries a schema number, so that a later version can lift
//! it (`State::from_json`); the engine's position is data, so that no deployment can break a session that sleeps.

use serde::{Deserialize, Serialize};

use crate::{
    ApprovalId, Epoch, Mode, OwnerId, Phase, RunId, RunStatus, Seq, SessionId, SessionStatus,
    SuspendReason, Timestamp,
};

/// The schema that this version writes.
pub const SCHEMA: u16 = 1;

/// Where a session stands after a commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The schema that it was written with.
    pub schema: u16,
    /// Which session.
    pub session_id: SessionId,
    /// Whose it is.
    pub owner: OwnerId,
    /// What kind of work it does.
    pub mode: Mode,
    /// Where it stands.
    pub status: SessionStatus,
    /// Where within its work.
    pub phase: Phase,
    /// The number of the step, in stepped phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_step: Option<u32>,
    /// Why it is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend_reason: Option<SuspendReason>,
    /// Where the error of its last run stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Seq>,
    /// Where the plan stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Seq>,
    /// Its last event.
    pub last_seq: Seq,
    /// Messages so far.
    pub messages: u64,
    /// Runs so far.
    pub runs: u64,
    /// Its newest run, ended or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The question that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<OpenApproval>,
    /// Who may work on it.
    pub lease: Lease,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its status changed last.
    pub updated_at: Timestamp,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// The newest run, as far as the next decision needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Which run.
    pub id: RunId,
    /// Where it stands.
    pub status: RunStatus,
    /// Its first event.
    pub first_seq: Seq,
    /// Where a worker begins to read: its first event, or that of the failed run that it took over from.
    #[serde(rename = "memory_from")]
    pub history_from: Seq,
    /// The digest of the client's task id, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_key: Option<String>,
    /// Where the engine stands.
    pub position: Position,
    /// Where the answer stands that the engine asked for and has not used yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Seq>,
    /// When a worker began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// US dollars so far, of the calls with a known price.
    pub cost_usd: f64,
    /// Tokens so far, of questions and answers.
    #[serde(default)]
    pub tokens: u64,
    /// How many messages have carried it on.
    pub hops: u32,
    /// When a message for it became due.
    pub queued_at: Timestamp,
    /// How often that message was sent again.
    pub sends: u32,
}

/// What the engine does next. The stages are `workflow`'s; here they are only stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing has begun; the engine finds the mode's first stage.
    Open,
    /// One agent answers the task.
    Answer,
    /// The planner drafts a plan.
    Plan,
    /// The reviewer criticises it.
    Review,
    /// The planner revises it.
    Revise,
    /// A person decides about the plan.
    ApprovePlan,
    /// A person decides whether a step is carried out.
    BeforeStep,
    /// A step of the plan is carried out.
    Step,
    /// A person decides about what came of a step.
    AfterStep,
    /// A person decides about a step that failed.
    OnError,
    /// A person chooses among the ideas, before the last step works them out.
    ChooseIdea,
    /// Copilot chooses who works on the turn.
    Route,
    /// A person answers copilot's question.
    Clarify,
    /// A person decides about what copilot proposes.
    Propose,
    /// A person ends a turn or begins the next.
    Turn,
    /// Text or references are taken from documents.
    Extract,
    /// Papers are fetched.
    Download,
    /// Papers are summarized.
    Summarize,
    /// Artifacts are written.
    Output,
    /// The result is drawn up.
    Finish,
}

impl Stage {
    /// Whether a person is asked there, and nobody works.
    pub const fn asks(self) -> bool {
        matches!(
            self,
            Self::ApprovePlan
                | Self::BeforeStep
                | Self::AfterStep
                | Self::OnError
                | Self::ChooseIdea
                | Self::Clarify
                | Self::Propose
                | Self::Turn
        )
    }
}

/// Where the engine stands in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// What is done next.
    pub stage: Stage,
    /// Which step of the plan, from 1; 0 outside of steps. Which unit of a document, where a stage works on one.
    pub step: u32,
    /// How many steps the plan has; 0 until it stands. How many units a document has, until the stage is done.
    pub steps: u32,
    /// Which round of review, from 1; 0 before.
    pub round: u32,
    /// How often this stage was tried and put off.
    pub tries: u32,
    /// Whether the record already tells that it began.
    pub begun: bool,
}

impl Position {
    /// Before everything.
    pub const OPEN: Self = Self {
        stage: Stage::Open,
        step: 0,
        steps: 0,
        round: 0,
        tries: 0,
        begun: false,
    };

    /// The DAG node that is worked on.
    pub fn node(&self) -> String {
        match self.stage {
            Stage::Open => "init".into(),
            Stage::Answer => "execute".into(),
            Stage::Plan | Stage::Review | Stage::Revise | Stage::ApprovePlan => "planning".into(),
            Stage::BeforeStep
            | Stage::Step
            | Stage::AfterStep
            | Stage::OnError
            | Stage::ChooseIdea => format!("step_{}", self.step),
            Stage::Route | Stage::Clarify | Stage::Propose => "routing".into(),
            Stage::Extract => "extraction".into(),
            Stage::Download => "download".into(),
            Stage::Summarize => "summarize".into(),
            Stage::Output => "output".into(),
            Stage::Turn | Stage::Finish => "terminator".into(),
        }
    }

    /// Whether the record tells of that node as running. A review works on the node that the draft began, and so does the
    /// person who is asked about the plan; a question about a step is asked before its node runs or after.
    pub const fn node_is_running(&self) -> bool {
        match self.stage {
            Stage::Review
            | Stage::Revise
            | Stage::ApprovePlan
            | Stage::Clarify
            | Stage::Propose => true,
            stage => self.begun && !stage.asks(),
        }
    }
}

/// The right to work: whoever appended the current epoch has it until the time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lease {
    /// Rises with every change of hands.
    pub epoch: Epoch,
    /// Held until then; free when absent. Decides when another may try, never who may write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How often it was taken since the last commit of work.
    pub attempts: u32,
}

/// The question that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenApproval {
    /// Which question.
    pub id: ApprovalId,
    /// One of the contract's checkpoint types.
    pub checkpoint: String,
    /// The answers that count.
    pub options: Vec<String>,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// A stored state that this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableState {
    /// Written by a newer version.
    #[error("a state of schema {0} was written by a newer version; this one reads up to {SCHEMA}")]
    Newer(u64),
    /// Not a state at all.
    #[error("the stored state does not parse")]
    Malformed(#[from] serde_json::Error),
}

impl State {
    /// The text that an entry stores.
    ///
    /// # Errors
    /// None in practice: every field serialises.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads what an entry stores, lifting older schemas to this one.
    ///
    /// # Errors
    /// [`UnreadableState`] for a newer schema or a text that is no state.
    pub fn from_json(text: &str) -> Result<Self, UnreadableState> {
        let stored: serde_json::Value = serde_json::from_str(text)?;
        let schema = stored
            .get("schema")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0);
        if schema > u64::from(SCHEMA) {
            return Err(UnreadableState::Newer(schema));
        }
        // Schema 1 is the first; the next one adds its lift here.
        Ok(serde_json::from_value(stored)?)
    }

    /// Whether it was deleted; everybody then sees a session that does not exist.
    pub const fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// The run that has not ended, also while it waits or is paused.
    pub fn unfinished_run(&self) -> Option<&Run> {
        self.run.as_ref().filter(|run| !run.status.is_final())
    }

    /// Whether somebody holds the lease and its time is not over.
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.lease.until.is_some_and(|until| now < until)
    }
}
