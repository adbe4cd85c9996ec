//! A small engine in place of `workflow`: one or two steps, an approval between them, and the end.
//!
//! As in the real engine, a checkpoint and the last stage have no work of their own. They are
//! repeated after a suspend.

use serde_json::json;
use session::{
    ApprovalId, ApprovalRequest, EventBody, Next, Phase, Position, Progress, RunFailure, Stage,
    StageStart, Timestamp,
};
use uuid::Uuid;

/// The options of the approval. The first two continue the run in different ways, the last ends it.
pub const OPTIONS: [&str; 3] = ["continue", "skip", "abort"];

/// The stage that requests an approval.
const CHECKPOINT_STAGE: Stage = Stage::AfterStep;

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many steps.
    pub steps: u32,
    /// The step that an approval follows; 0 for none.
    pub approval_after: u32,
    /// The checkpoint type of the approval. Only the expiry of `copilot_turn` counts as an answer.
    pub checkpoint: &'static str,
}

/// The outcome of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The stage completes.
    Natural,
    /// It is put off.
    Retry,
    /// It fails.
    Fail,
}

impl Plan {
    /// Returns the start of the stage at a position.
    pub fn opening(at: Position) -> StageStart {
        let position = match at.stage {
            Stage::Open => position(Stage::Step, 1),
            _ => at,
        };
        begin(position)
    }

    /// Whether the stage at a position requests an approval.
    pub fn is_checkpoint(at: Position) -> bool {
        at.stage == CHECKPOINT_STAGE
    }

    /// Returns the progress from a position. `answered` is the option that was chosen there,
    /// `approval` the id of a new approval.
    pub fn progress(
        &self,
        at: Position,
        outcome: Outcome,
        answered: Option<&str>,
        approval: ApprovalId,
        expires_at: Timestamp,
    ) -> Progress {
        let next = match outcome {
            Outcome::Natural => self.next(at, answered, approval, expires_at),
            Outcome::Retry => Next::RetryLater { calls: 1 },
            Outcome::Fail => Next::Fail(RunFailure {
                error: "It did not work.".into(),
                code: "no_luck".into(),
                error_type: "NoLuck".into(),
            }),
        };
        let work = match (at.stage, outcome) {
            (Stage::Step, Outcome::Natural) => vec![line("the outcome of the step")],
            _ => vec![],
        };
        Progress {
            at,
            work,
            cost_usd: 0.0,
            tokens: 0,
            next,
        }
    }

    fn next(
        &self,
        at: Position,
        answered: Option<&str>,
        approval: ApprovalId,
        expires_at: Timestamp,
    ) -> Next {
        match (at.stage, answered) {
            (Stage::Finish, _) => Next::Complete(Box::new(line("the result"))),
            (Stage::Step, _) if at.step == self.approval_after => {
                Next::Advance(begin(position(CHECKPOINT_STAGE, at.step)))
            }
            (CHECKPOINT_STAGE, None) => Next::Ask(Box::new(self.approval(approval, expires_at))),
            (CHECKPOINT_STAGE, Some("skip")) => Next::Advance(begin(position(Stage::Finish, 0))),
            _ if at.step < self.steps => Next::Advance(begin(position(Stage::Step, at.step + 1))),
            _ => Next::Advance(begin(position(Stage::Finish, 0))),
        }
    }

    fn approval(&self, id: ApprovalId, expires_at: Timestamp) -> ApprovalRequest {
        ApprovalRequest {
            approval_id: id,
            step_id: None,
            action: "decide".into(),
            checkpoint_type: self.checkpoint.into(),
            description: "May it go on?".into(),
            message: "May it go on?".into(),
            options: OPTIONS.map(String::from).to_vec(),
            context: json!({}),
            expires_at,
        }
    }
}

/// Returns the id of the n-th approval of a session.
pub fn approval_id(n: u8) -> ApprovalId {
    ApprovalId::new(Uuid::from_u128(n.into()))
}

fn begin(position: Position) -> StageStart {
    StageStart {
        position,
        phase: Phase::Control,
        step: Some(position.step),
        events: if position.begun {
            vec![]
        } else {
            vec![line("begins")]
        },
        history_from: None,
    }
}

fn position(stage: Stage, step: u32) -> Position {
    Position {
        stage,
        step,
        ..Position::OPEN
    }
}

fn line(message: &str) -> EventBody {
    EventBody::Output {
        message: message.into(),
    }
}
