//! The outcome of an agent's call or of a document task, as plain data: this crate knows no
//! providers.

use session::{PlanStep, Route, StructuredOutput};

use super::DocumentTaskResult;

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The agent answered.
    Answer(AgentAnswer),
    /// A document task is done.
    DocumentTask(DocumentTaskResult),
    /// The request failed.
    Failure(StageFailure),
}

/// An agent's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentAnswer {
    /// The part that determines the transition.
    pub content: AnswerContent,
    /// The answer as Markdown. It is cut by [`clip_message`](crate::clip_message).
    pub message: String,
    /// The summary for later steps.
    pub summary: String,
    /// The artifact with a program or with an answer that is too long for a message.
    pub artifact: Option<String>,
    /// Every billed model answer, including invalid ones.
    pub usages: Vec<Usage>,
}

/// The forms of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerContent {
    /// From the planner.
    Plan(Vec<PlanStep>),
    /// From the reviewer: the requested changes; empty if the plan is approved.
    Review(Vec<String>),
    /// From the researcher and other agents that answer in text.
    Report,
    /// From the engineer. The program is the answer's artifact.
    Program,
    /// From the idea maker: the current ideas, the best first.
    Ideas(Vec<String>),
    /// From copilot: how a task is processed, and by which agent.
    Route(Route),
}

impl AnswerContent {
    /// The part that the record keeps besides the message.
    pub(crate) fn made(&self) -> Option<StructuredOutput> {
        match self {
            Self::Plan(plan) => Some(StructuredOutput::Plan(plan.clone())),
            Self::Ideas(ideas) => Some(StructuredOutput::Ideas(ideas.clone())),
            Self::Route(route) => Some(StructuredOutput::Route(route.clone())),
            Self::Review(_) | Self::Report | Self::Program => None,
        }
    }
}

/// A call without an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct StageFailure {
    /// A message for the client.
    pub error: String,
    /// A code for programs.
    pub code: String,
    /// The kind of error.
    pub error_type: String,
    /// Whether the same call may succeed in a later invocation.
    pub retryable: bool,
    /// How often a model's provider was called.
    pub calls: u32,
    /// The usage that was billed anyway.
    pub usages: Vec<Usage>,
}

/// One model answer in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// The model's name in the price table.
    pub model: String,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// US dollars; none if the model has no known price.
    pub cost_usd: Option<f64>,
    /// Whether the service counted no tokens, so that they are estimated.
    pub estimated: bool,
}
