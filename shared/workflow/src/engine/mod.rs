//! The engine: the next work of a run, and the transition after each outcome.

use session::{PlanStep, Position, Run, Stage, State};

use crate::{
    config::RunSettings,
    history::RunHistory,
    modes::{ModeSpec, agent},
};

mod advance;
mod after_approval;
mod begin;
mod check;
mod document;
mod graph;
mod outcome;
mod progress_builder;
mod prompt;
mod result;
mod work;

pub use check::{AnswerError, Modifications, check_answer};
pub use document::{DocumentTask, DocumentTaskResult, calls_arxiv_at};
pub use outcome::{AgentAnswer, AnswerContent, Outcome, StageFailure, Usage};
pub use prompt::{ApprovalPrompt, asked_again};
pub use work::{AgentRequest, Brief, EarlierMessage, MAX_CALLS, Work};

/// A run at its current position.
#[derive(Debug, Clone, Copy)]
pub struct Engine<'a> {
    pub(crate) run: &'a Run,
    pub(crate) state: &'a State,
    pub(crate) settings: &'a RunSettings,
    pub(crate) history: &'a RunHistory,
    pub(crate) spec: &'static ModeSpec,
}

impl<'a> Engine<'a> {
    /// The engine of a session's unfinished run; `None` without one. The history must hold the
    /// record up to this state.
    pub fn on(
        state: &'a State,
        settings: &'a RunSettings,
        history: &'a RunHistory,
    ) -> Option<Self> {
        Some(Self {
            run: state.unfinished_run()?,
            state,
            settings,
            history,
            spec: ModeSpec::of(state.mode),
        })
    }

    /// The position of the run; before its first commit, the first stage of its mode.
    pub(crate) fn position(&self) -> Position {
        let at = self.run.position;
        match at.stage {
            Stage::Open => Position {
                stage: self.spec.first,
                ..at
            },
            _ => at,
        }
    }

    /// US dollars at which the run makes no further call. Each `continue` at `budget` adds as much
    /// again, up to what the deployment allows.
    pub(crate) fn limit(&self) -> Option<f64> {
        let times = f64::from(1 + self.history.budget_raises);
        let own = self.settings.max_cost_usd.map(|limit| limit * times);
        let caps = &self.settings.caps;
        let limits = [own, caps.per_run, caps.today].into_iter().flatten();
        limits.reduce(f64::min)
    }

    /// Whether copilot may ask for a clarification or an approval in this round.
    pub(crate) const fn may_ask(&self) -> bool {
        self.run.position.round + 1 < self.settings.max_rounds
    }

    /// The plan that the run follows; empty until this run has one.
    pub(crate) fn standing_plan(&self) -> &'a [PlanStep] {
        match self.run.position.steps {
            0 => &[],
            _ => &self.history.plan,
        }
    }

    /// The agent of the current stage, if it has one.
    pub(crate) fn agent(&self) -> Option<&'a str> {
        let at = self.position();
        match at.stage {
            Stage::Plan | Stage::Revise => Some(agent::PLANNER),
            Stage::Review => Some(agent::PLAN_REVIEWER),
            Stage::Route => Some(agent::COPILOT_CONTROL),
            Stage::Answer => {
                let routed_to = self.history.routed_to.as_deref();
                Some(routed_to.unwrap_or_else(|| self.settings.agent()))
            }
            Stage::Step => step(&self.history.plan, at).map(|step| step.sub_task_agent.as_str()),
            Stage::Extract | Stage::Download | Stage::Summarize | Stage::Output => {
                Some(self.spec.agent)
            }
            _ => None,
        }
    }
}

/// The step of a plan at a position.
pub(crate) fn step(plan: &[PlanStep], at: Position) -> Option<&PlanStep> {
    plan.get(usize::try_from(at.step).ok()?.checked_sub(1)?)
}

/// The goal of the plan's step at a position.
pub(crate) fn goal(plan: &[PlanStep], at: Position) -> String {
    step(plan, at).map_or_else(String::new, |step| step.sub_task.clone())
}
