//! What there is to do at the place where a run stands.

use session::{Failure, PlanStep, Progress, Stage, Timestamp};

use crate::{DoneStep, Engine, engine::step, entry::Entry};

/// What a worker does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// An agent is asked; what came of it goes to [`Engine::advance`].
    Ask(Box<Request>),
    /// There is nobody to ask: the run ends here, well or badly, and this is to be committed.
    Commit(Box<Progress>),
}

/// A question to an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Who is asked, by id.
    pub agent: String,
    /// The model that the client chose for it; none for the deployment's default.
    pub model: Option<String>,
    /// How often it may be asked until its answer fits.
    pub max_attempts: u32,
    /// The graph's node that it is about: for names and logs.
    pub node: String,
    /// What it is told.
    pub brief: Brief,
}

/// What an agent is told, beside what was said in the session before this run: the worker adds that, as much as fits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Brief {
    /// The task in the client's words.
    pub task: String,
    /// What the client wants planner and reviewer to heed.
    pub instructions: String,
    /// The plan to criticise, to revise, or to follow.
    pub plan: Vec<PlanStep>,
    /// What was criticised in it.
    pub remarks: Vec<String>,
    /// The step to do; without one, the whole task.
    pub step: Option<PlanStep>,
    /// The steps done so far.
    pub done: Vec<DoneStep>,
    /// The most steps that a plan may have.
    pub max_steps: u32,
}

impl Engine<'_> {
    /// What there is to do; the run must have been opened.
    pub fn work(&self, now: Timestamp) -> Work {
        let ending = match self.refusal() {
            Some(failure) => Entry::on(self).fail(failure),
            None if self.run.position.stage == Stage::Finish => self.finish(now),
            None => match self.request() {
                Ok(request) => return Work::Ask(Box::new(request)),
                Err(failure) => Entry::on(self).fail(failure),
            },
        };
        Work::Commit(Box::new(ending))
    }

    /// Why the run must not go on, if it must not.
    fn refusal(&self) -> Option<Failure> {
        if !self.path.is_available() {
            return Some(Failure {
                error: format!("Mode {} is not available yet.", self.state.mode),
                code: "mode_not_available".into(),
                error_type: "ModeNotAvailable".into(),
            });
        }
        let limit = self.settings.max_cost_usd?;
        let spent = self.run.cost_usd;
        let asks = self.run.position.stage != Stage::Finish;
        (asks && spent >= limit).then(|| Failure {
            error: format!("The run has cost {spent:.4} of at most {limit:.4} US dollars."),
            code: "budget_exceeded".into(),
            error_type: "BudgetExceeded".into(),
        })
    }

    fn request(&self) -> Result<Request, Failure> {
        let at = self.position();
        let agent = self.agent().ok_or_else(|| incomplete(&at.node()))?;
        Ok(Request {
            agent: agent.to_owned(),
            model: self.settings.model(agent).map(ToOwned::to_owned),
            max_attempts: self.settings.max_attempts,
            node: at.node(),
            brief: self.brief(at.stage),
        })
    }

    fn brief(&self, stage: Stage) -> Brief {
        let memory = self.memory;
        let brief = Brief {
            task: memory.task(),
            max_steps: self.settings.max_plan_steps,
            ..Brief::default()
        };
        let instructions = self.settings.plan_instructions.clone();
        match stage {
            Stage::Plan => Brief {
                instructions,
                ..brief
            },
            Stage::Review => Brief {
                instructions,
                plan: memory.draft.clone(),
                ..brief
            },
            Stage::Revise => Brief {
                instructions,
                plan: memory.draft.clone(),
                remarks: memory.remarks.clone(),
                ..brief
            },
            Stage::Step => Brief {
                plan: memory.plan.clone(),
                step: step(&memory.plan, self.position()).cloned(),
                done: memory.done(),
                ..brief
            },
            _ => brief,
        }
    }
}

fn incomplete(node: &str) -> Failure {
    Failure {
        error: format!("The record of the run does not say what to do at {node}."),
        code: "record_incomplete".into(),
        error_type: "RecordIncomplete".into(),
    }
}
