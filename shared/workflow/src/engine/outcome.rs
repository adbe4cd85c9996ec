//! What came of an agent's call or of a unit of a document, as plain data: this crate knows no providers.

use session::{PlanStep, Route, StructuredOutput};

use super::DocumentTaskResult;

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The agent answered.
    Answer(AgentAnswer),
    /// A unit of a document is done.
    DocumentTask(DocumentTaskResult),
    /// Neither came of it.
    Failure(StageFailure),
}

/// An agent's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentAnswer {
    /// The part that the engine goes by.
    pub content: AnswerContent,
    /// The answer as Markdown. What passes [`MAX_MESSAGE_BYTES`](crate::MAX_MESSAGE_BYTES) is cut off.
    pub message: String,
    /// What later steps are told of it.
    pub summary: String,
    /// The artifact in which a program, or an answer too long for a message, was stored before.
    pub artifact: Option<String>,
    /// Every model answer that was paid for, also those that did not fit.
    pub usages: Vec<Usage>,
}

/// The forms of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerContent {
    /// The planner's.
    Plan(Vec<PlanStep>),
    /// The reviewer's: what to change, one entry each; empty when the plan can stand.
    Review(Vec<String>),
    /// The researcher's, and of whoever else answers in words.
    Report,
    /// The engineer's; the program itself is the answer's artifact.
    Program,
    /// The idea maker's: the ideas that stand, the best first.
    Ideas(Vec<String>),
    /// Copilot's: how a task is done, and by whom.
    Route(Route),
}

impl AnswerContent {
    /// The part that the record keeps beside the message.
    pub(crate) fn made(&self) -> Option<StructuredOutput> {
        match self {
            Self::Plan(plan) => Some(StructuredOutput::Plan(plan.clone())),
            Self::Ideas(ideas) => Some(StructuredOutput::Ideas(ideas.clone())),
            Self::Route(route) => Some(StructuredOutput::Route(route.clone())),
            Self::Review(_) | Self::Report | Self::Program => None,
        }
    }
}

/// A call that brought no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct StageFailure {
    /// One sentence for the client.
    pub error: String,
    /// The word for programs.
    pub code: String,
    /// The kind of error.
    pub error_type: String,
    /// Whether the same call may succeed in a later invocation.
    pub retryable: bool,
    /// What was paid for all the same.
    pub usages: Vec<Usage>,
}

/// One model answer in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// The model, as the price table names it.
    pub model: String,
    /// Tokens of the question.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// US dollars; none where the model has no known price.
    pub cost_usd: Option<f64>,
}
