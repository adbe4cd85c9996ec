//! A tiny engine in the place of `workflow`: a step or two, a question to a person between, and the end.
//!
//! As in the real one, a stage that asks or ends has no work of its own: it is gone through again where a suspend came
//! between.

use serde_json::json;
use session::{
    ApprovalId, ApprovalRequest, EventBody, Next, Phase, Position, Progress, RunFailure, Stage,
    StageStart, Timestamp,
};
use uuid::Uuid;

/// The options of the one question. The first two let the run go on, by different ways; the last one ends it.
pub const OPTIONS: [&str; 3] = ["continue", "skip", "abort"];

/// The stage that asks.
const ASKS: Stage = Stage::AfterStep;

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many steps.
    pub steps: u32,
    /// After which step a person is asked; 0 for never.
    pub asks_after: u32,
    /// How the question is called: the silence on `copilot_turn` is an answer, on any other it is none.
    pub checkpoint: &'static str,
}

/// What comes of the stage that a worker is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The stage's own end.
    Natural,
    /// It is put off.
    Again,
    /// It fails.
    Fail,
}

impl Plan {
    /// The beginning of what a position leads to.
    pub fn opening(at: Position) -> StageStart {
        let position = match at.stage {
            Stage::Open => position(Stage::Step, 1),
            _ => at,
        };
        begin(position)
    }

    /// Whether a position asks a person.
    pub fn asks(at: Position) -> bool {
        at.stage == ASKS
    }

    /// What a worker brings from a position. `answered` is the option that was chosen there, `question` the id for a new one.
    pub fn progress(
        &self,
        at: Position,
        outcome: Outcome,
        answered: Option<&str>,
        question: ApprovalId,
        expires_at: Timestamp,
    ) -> Progress {
        let next = match outcome {
            Outcome::Natural => self.next(at, answered, question, expires_at),
            Outcome::Again => Next::RetryLater,
            Outcome::Fail => Next::Fail(RunFailure {
                error: "It did not work.".into(),
                code: "no_luck".into(),
                error_type: "NoLuck".into(),
            }),
        };
        let work = match (at.stage, outcome) {
            (Stage::Step, Outcome::Natural) => vec![line("what came of the step")],
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
        question: ApprovalId,
        expires_at: Timestamp,
    ) -> Next {
        match (at.stage, answered) {
            (Stage::Finish, _) => Next::Complete(Box::new(line("the result"))),
            (Stage::Step, _) if at.step == self.asks_after => {
                Next::Advance(begin(position(ASKS, at.step)))
            }
            (ASKS, None) => Next::Ask(Box::new(self.question(question, expires_at))),
            (ASKS, Some("skip")) => Next::Advance(begin(position(Stage::Finish, 0))),
            _ if at.step < self.steps => Next::Advance(begin(position(Stage::Step, at.step + 1))),
            _ => Next::Advance(begin(position(Stage::Finish, 0))),
        }
    }

    fn question(&self, id: ApprovalId, expires_at: Timestamp) -> ApprovalRequest {
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

/// The n-th question of a session.
pub fn question_id(n: u8) -> ApprovalId {
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
