//! The state after a commit. A decision reads nothing but the newest state.
//!
//! It takes less than 1 KB as JSON and does not grow with a run: plan, outputs and error texts are
//! events, and the state holds their `seq` at most. Its schema number lets a later version migrate
//! it (`State::from_json`). The position of the engine is data, so that no deployment breaks a
//! waiting session.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    ApprovalId, Epoch, Mode, OwnerId, Phase, PushTurn, RunId, RunStatus, Seq, SessionId,
    SessionStatus, SuspendReason, Timestamp,
};

/// The schema that this version writes.
pub const SCHEMA: u16 = 1;

/// The state of a session after a commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The schema version.
    pub schema: u16,
    /// The session.
    pub session_id: SessionId,
    /// Its owner.
    pub owner: OwnerId,
    /// Its mode.
    pub mode: Mode,
    /// Its status.
    pub status: SessionStatus,
    /// Its phase.
    pub phase: Phase,
    /// The number of the step, in phases with steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_step: Option<u32>,
    /// Why it is suspended, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend_reason: Option<SuspendReason>,
    /// The event with the error of the last run, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Seq>,
    /// The event with the plan of the last run, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Seq>,
    /// The last event.
    pub last_seq: Seq,
    /// The number of messages.
    pub messages: u64,
    /// The newest message. Absent before the first one, and in older states until the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<Seq>,
    /// The number of runs.
    pub runs: u64,
    /// The newest run, also after its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The open approval, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<OpenApproval>,
    /// The lease.
    pub lease: Lease,
    /// When the events of the newest commit are pushed. States of before have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushTurn>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When the status changed last.
    pub updated_at: Timestamp,
    /// When it was deleted, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// The fields of the newest run that decisions need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The run.
    pub id: RunId,
    /// Its status.
    pub status: RunStatus,
    /// Its first event.
    pub first_seq: Seq,
    /// Where a worker begins to read the record. A new turn moves it on; a takeover keeps it.
    #[serde(rename = "memory_from")]
    pub history_from: Seq,
    /// The digest of the client's task id, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_key: Option<String>,
    /// The position of the engine.
    pub position: Position,
    /// The event with the approval answer that the engine has not used yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Seq>,
    /// When a worker took it for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// The cost of its model calls with a known price, in US dollars.
    pub cost_usd: f64,
    /// The input and output tokens of its model calls.
    #[serde(default)]
    pub tokens: u64,
    /// How many slices have ended with the run unfinished.
    pub hops: u32,
    /// When it was queued last.
    pub queued_at: Timestamp,
    /// How often the wake message was sent again since then.
    pub sends: u32,
}

impl Run {
    /// The progress of the run, from 0 to 100: 100 after a success, else the share of the steps
    /// that are done, if it is known.
    pub fn progress(&self) -> Option<u8> {
        match self.status {
            RunStatus::Completed => Some(100),
            _ => self.position.progress(),
        }
    }
}

/// What the engine does next. The crate `workflow` gives the stages their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing has begun; the engine chooses the first stage of the mode.
    Open,
    /// One agent answers the task.
    Answer,
    /// The planner drafts a plan.
    Plan,
    /// The reviewer criticises the plan.
    Review,
    /// The planner revises the plan.
    Revise,
    /// A person decides about the plan.
    ApprovePlan,
    /// A person decides whether a step is carried out.
    BeforeStep,
    /// An agent carries out a step of the plan.
    Step,
    /// A person decides about the outcome of a step.
    AfterStep,
    /// A person decides about a failed step.
    OnError,
    /// A person chooses an idea, before the last step elaborates it.
    ChooseIdea,
    /// Copilot chooses the route of the turn.
    Route,
    /// A person gives copilot a clarification.
    Clarify,
    /// A person decides about copilot's proposal.
    Propose,
    /// A person ends the conversation or begins the next turn.
    Turn,
    /// Text or references are extracted from documents.
    Extract,
    /// Papers are downloaded.
    Download,
    /// Papers are summarized.
    Summarize,
    /// Artifacts are written.
    Output,
    /// The result is composed.
    Finish,
}

impl Stage {
    /// Whether the stage is a checkpoint, at which no agent works.
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

/// The position of the engine in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The stage that follows.
    pub stage: Stage,
    /// The step of the plan, from 1; 0 outside of steps. In document stages, the document task.
    pub step: u32,
    /// The number of steps; 0 before the plan is complete. In document stages, the number of
    /// tasks.
    pub steps: u32,
    /// The round of review, from 1; 0 before.
    pub round: u32,
    /// How often this stage was put off.
    pub tries: u32,
    /// How often a model's provider was called in those tries.
    #[serde(default)]
    pub calls: u32,
    /// Whether the record already holds the start of the stage.
    pub begun: bool,
}

impl Position {
    /// The position before the first stage.
    pub const OPEN: Self = Self {
        stage: Stage::Open,
        step: 0,
        steps: 0,
        round: 0,
        tries: 0,
        calls: 0,
        begun: false,
    };

    /// The id of the node that the stage works on.
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

    /// The share of the plan's steps that are done, from 0 to 100. `None` before the plan is
    /// complete and in runs without a plan.
    pub fn progress(&self) -> Option<u8> {
        let done = match self.stage {
            Stage::BeforeStep | Stage::Step | Stage::OnError | Stage::ChooseIdea => {
                self.step.saturating_sub(1)
            }
            Stage::AfterStep => self.step,
            Stage::Turn | Stage::Finish => self.steps,
            _ => return None,
        };
        let percent = done.saturating_mul(100).checked_div(self.steps)?;
        u8::try_from(percent.min(100)).ok()
    }

    /// Whether that node is running according to the record. Review and approval of a plan belong
    /// to the running planning node. The approvals of a step come before its node runs or
    /// after.
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

/// The right of one worker to commit work, until a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lease {
    /// The fencing token. It rises when the lease is taken and when it is released.
    pub epoch: Epoch,
    /// The end of the lease; `None` if it is free. It decides when another worker may take the
    /// lease. The epoch alone decides which worker may commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How often the lease was taken since the last commit of work.
    pub attempts: u32,
}

/// The open approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenApproval {
    /// The approval.
    pub id: ApprovalId,
    /// One of the contract's checkpoint types.
    pub checkpoint: String,
    /// The resolutions that are accepted.
    pub options: Vec<String>,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A stored state that this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableState {
    /// A newer version wrote it.
    #[error("a state of schema {0} was written by a newer version; this one reads up to {SCHEMA}")]
    Newer(u64),
    /// The text is not a state.
    #[error("the stored state does not parse")]
    Malformed(#[from] serde_json::Error),
}

impl State {
    /// Returns the text that a log entry stores.
    ///
    /// # Errors
    /// None in practice, because every field serialises.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads the text that a log entry stores. Older schemas are migrated.
    ///
    /// # Errors
    /// [`UnreadableState`] for a newer schema or a malformed text.
    pub fn from_json(text: &str) -> Result<Self, UnreadableState> {
        let stored: serde_json::Value = serde_json::from_str(text)?;
        let schema = stored
            .get("schema")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0);
        if schema > u64::from(SCHEMA) {
            return Err(UnreadableState::Newer(schema));
        }
        // Schema 1 is the first. The next one adds its migration here.
        Ok(serde_json::from_value(stored)?)
    }

    /// Whether it was deleted. Clients then get the same reply as for a session that does not
    /// exist.
    pub const fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// Returns the newest run if it has not ended; it may be paused or wait for an approval.
    pub fn unfinished_run(&self) -> Option<&Run> {
        self.run.as_ref().filter(|run| !run.status.is_final())
    }

    /// How long the push of the newest commit waits for the pushes of other processes.
    pub fn push_wait(&self, now: Timestamp) -> Duration {
        self.push.map_or(Duration::ZERO, |turn| turn.wait(now))
    }

    /// Whether a worker holds the lease at `now`.
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.lease.until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{NewRun, NewSession, create};

    #[test]
    fn progress_is_the_share_of_the_steps_that_are_done() {
        let at = |stage, step, steps| {
            let position = Position {
                stage,
                step,
                steps,
                ..Position::OPEN
            };
            position.progress()
        };
        for (stage, step, steps, progress) in [
            (Stage::Open, 0, 0, None),
            (Stage::Answer, 0, 0, None),
            (Stage::Finish, 0, 0, None),
            (Stage::Review, 0, 3, None),
            (Stage::Step, 1, 3, Some(0)),
            (Stage::BeforeStep, 2, 3, Some(33)),
            (Stage::OnError, 3, 3, Some(66)),
            (Stage::AfterStep, 3, 3, Some(100)),
            (Stage::Finish, 0, 3, Some(100)),
            // A document task is no step.
            (Stage::Download, 2, 4, None),
        ] {
            assert_eq!(at(stage, step, steps), progress, "{stage:?} {step}/{steps}");
        }
    }

    #[test]
    fn the_stored_names_of_a_state_stay() {
        let run = NewRun {
            id: RunId::new(Uuid::from_u128(2)),
            task: "t".into(),
            artifact: None,
            task_id: None,
            agent: "researcher".into(),
            model: "m".into(),
        };
        let new = NewSession {
            id: SessionId::new(Uuid::from_u128(1)),
            owner: OwnerId::of("issuer", "ada"),
            mode: Mode::OneShot,
            run: Some(run),
        };
        let now = Timestamp::from_micros(0).unwrap();
        let stored = create(&new, now).state.to_json().unwrap();
        let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
        let names = |value: &serde_json::Value| {
            let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names.join(" ")
        };
        assert_eq!(
            names(&stored),
            "created_at last_message last_seq lease messages mode owner phase push run runs schema \
             session_id status updated_at"
        );
        assert_eq!(
            names(&stored["run"]),
            "cost_usd first_seq hops id memory_from position queued_at sends status tokens"
        );
        assert_eq!(
            names(&stored["run"]["position"]),
            "begun calls round stage step steps tries"
        );
        assert_eq!(names(&stored["lease"]), "attempts epoch");
    }
}
