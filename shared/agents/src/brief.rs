//! What an agent is told. A brief is data, not text: `prompt` writes it out for a language model,
//! and the offline engine reads it as it is.

use crate::{Agent, PlanStep};

/// One question to one agent.
#[derive(Clone, Debug)]
pub struct AgentCall {
    /// Who is asked.
    pub agent: Agent,
    /// The model to ask instead of the deployment's default. The offline provider has one model and ignores it.
    pub model: Option<String>,
    /// What the agent is told.
    pub brief: Brief,
}

/// All that an agent is told, beside its prompt. What doesn't apply stays empty.
#[derive(Clone, Debug)]
pub struct Brief {
    /// The task, in the client's words.
    pub task: String,
    /// What the client wants the planner and its reviewer to heed (`planInstructions`).
    pub instructions: String,
    /// What was said in the session before this task, oldest first; see [`recent`].
    pub history: Vec<Turn>,
    /// The plan to criticise, to revise, or to follow.
    pub plan: Vec<PlanStep>,
    /// For the planner: what was criticised in `plan`, by the reviewer or by a human.
    pub remarks: Vec<String>,
    /// The step to do; without one, the whole task is to be done.
    pub step: Option<PlanStep>,
    /// The steps done so far, in their order.
    pub done: Vec<DoneStep>,
    /// The most steps that a plan may have, at least 1.
    pub max_steps: u32,
}

impl Default for Brief {
    /// An empty brief, with the contract's default of 10 plan steps.
    fn default() -> Self {
        Self {
            task: String::new(),
            instructions: String::new(),
            history: Vec::new(),
            plan: Vec::new(),
            remarks: Vec::new(),
            step: None,
            done: Vec::new(),
            max_steps: 10,
        }
    }
}

/// A step that was done, as later steps see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoneStep {
    /// What was to be done.
    pub sub_task: String,
    /// What came of it.
    pub summary: String,
}

/// Something said in the session before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who said it: `user`, `assistant` or an agent's id.
    pub speaker: String,
    /// What was said.
    pub text: String,
}

/// The newest turns that fit a budget of `max_tokens` (estimated), in chronological order.
///
/// Takes the turns newest first, as a log read backwards gives them, and stops reading at the first that doesn't fit.
pub fn recent(newest_first: impl IntoIterator<Item = Turn>, max_tokens: u64) -> Vec<Turn> {
    let mut left = max_tokens;
    let mut turns: Vec<Turn> = newest_first
        .into_iter()
        .map_while(|turn| {
            left = left.checked_sub(crate::usage::estimate_tokens(&turn.text))?;
            Some(turn)
        })
        .collect();
    turns.reverse();
    turns
}
