//! What an agent is told. A brief is data, not text: `prompt` writes it out for a language model,
//! and the offline engine reads it as it is.

use crate::{
    Agent, Paper, PlanStep, StepAgent,
    usage::{BYTES_PER_TOKEN, estimate_tokens},
};

/// What stands at the end of a text that was cut.
const CUT: &str = "…";

/// One question to one agent.
#[derive(Clone, Debug)]
pub struct AgentCall {
    /// Who is asked.
    pub agent: Agent,
    /// The model to ask instead of the deployment's default. The offline provider has one model and ignores it.
    pub model: Option<String>,
    /// What the agent is told.
    pub brief: Brief,
    /// US dollars at which no further answer is asked for; none is no bound. A model without a known price costs nothing here.
    pub max_cost_usd: Option<f64>,
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
    /// With a `step`: what the user says about it, e.g. why it is to be done again, or which idea is chosen.
    /// Without one: what was criticised in `plan`, by the reviewer or by a human.
    pub remarks: Vec<String>,
    /// The step to do; without one, the whole task is to be done.
    pub step: Option<PlanStep>,
    /// The steps done so far, in their order.
    pub done: Vec<DoneStep>,
    /// The most steps that a plan may have, at least 1.
    pub max_steps: u32,
    /// Whom a plan may give steps to, at least one.
    pub team: Vec<StepAgent>,
    /// The paper to summarise; without one, the summarizer has nothing to do.
    pub paper: Option<Paper>,
    /// Whether the copilot's control may ask the user first, by `clarify` or `propose`.
    pub may_ask: bool,
}

impl Default for Brief {
    /// An empty brief, with the contract's default of 10 plan steps, for a team of researcher and engineer.
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
            team: vec![StepAgent::Researcher, StepAgent::Engineer],
            paper: None,
            may_ask: true,
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
/// Takes the turns newest first, as a log read backwards gives them, and stops reading at the first that doesn't fit: of
/// that one its beginning is taken, so that one long answer never leaves the agents without any memory.
pub fn recent(newest_first: impl IntoIterator<Item = Turn>, max_tokens: u64) -> Vec<Turn> {
    let mut left = max_tokens;
    let mut turns = Vec::new();
    for turn in newest_first {
        let Some(rest) = left.checked_sub(estimate_tokens(&turn.text)) else {
            turns.extend(beginning(turn, left));
            break;
        };
        left = rest;
        turns.push(turn);
    }
    turns.reverse();
    turns
}

/// As much of a turn as fits, marked as cut; none where not even a character does.
fn beginning(mut turn: Turn, max_tokens: u64) -> Option<Turn> {
    let bytes = usize::try_from(max_tokens * BYTES_PER_TOKEN).unwrap_or(usize::MAX);
    let end = turn
        .text
        .floor_char_boundary(bytes.saturating_sub(CUT.len()));
    turn.text.truncate(end);
    turn.text.push_str(CUT);
    (end > 0).then_some(turn)
}
