//! The next work of a run at its current position.

use session::{Mode, PlanStep, Progress, RunFailure, Stage, Timestamp, plus_usd};

use super::{ApprovalPrompt, DocumentTask, Engine, progress_builder::ProgressBuilder, step};
use crate::{
    history::DoneStep,
    modes::{Checkpoint, agent, idea_instructions},
};

/// The most requests of one stage to a model's provider, over all its tries. A document task counts
/// as a stage.
pub const MAX_CALLS: u32 = 10;

/// The next work of a worker.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Call an agent and pass the outcome to [`Engine::advance`].
    Ask(Box<AgentRequest>),
    /// Execute a document task and pass the outcome to [`Engine::advance`].
    DocumentTask(DocumentTask),
    /// Request an approval with [`Engine::ask`]. The run then waits for the answer.
    AskPerson(Box<ApprovalPrompt>),
    /// Commit this progress. No request is needed.
    Commit(Box<Progress>),
}

/// A request to an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentRequest {
    /// The id of the agent.
    pub agent: String,
    /// The model that the client chose for it; `None` for the deployment's default.
    pub model: Option<String>,
    /// The maximum number of answers until one is valid.
    pub max_attempts: u32,
    /// The requests to the model's provider in earlier tries of the stage. With those of this try
    /// they are at most [`MAX_CALLS`].
    pub earlier_calls: u32,
    /// The costs in US dollars after which no further call is made; `None` without a budget.
    pub max_cost_usd: Option<f64>,
    /// The graph node of the request, for names and logs.
    pub node: String,
    /// The content of the request.
    pub brief: Brief,
}

/// The content of a request to an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// The task in the client's words.
    pub task: String,
    /// The newest messages of the session before this task, oldest first. The worker adds as many
    /// as fit.
    pub history: Vec<EarlierMessage>,
    /// The client's instructions to planner and reviewer.
    pub instructions: String,
    /// The plan to review, to revise, or to follow.
    pub plan: Vec<PlanStep>,
    /// With a step: the user's remarks on it. Without one: the criticism of the plan.
    pub remarks: Vec<String>,
    /// The step to do; without one, the whole task.
    pub step: Option<PlanStep>,
    /// The steps done so far.
    pub done: Vec<DoneStep>,
    /// The maximum number of steps of a plan.
    pub max_steps: u32,
    /// The agents that a plan may assign steps to.
    pub team: Vec<String>,
    /// Whether copilot may ask the user before any work.
    pub may_ask: bool,
}

impl Default for Brief {
    /// An empty brief with the default plan size, for a team of researcher and engineer.
    fn default() -> Self {
        Self {
            task: String::new(),
            history: Vec::new(),
            instructions: String::new(),
            plan: Vec::new(),
            remarks: Vec::new(),
            step: None,
            done: Vec::new(),
            max_steps: 10,
            team: agent::WORKERS.map(str::to_owned).to_vec(),
            may_ask: true,
        }
    }
}

/// A message of the session from before the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierMessage {
    /// `user` or an agent's id.
    pub speaker: String,
    /// The text of the message.
    pub text: String,
}

impl Engine<'_> {
    /// The next work of a run that has been opened.
    pub fn work(&self, now: Timestamp) -> Work {
        let stage = self.position().stage;
        if let Some(checkpoint) = Checkpoint::at(stage) {
            return match self.unused_answer() {
                Some(given) => Work::Commit(Box::new(self.after_approval(given))),
                None => Work::AskPerson(Box::new(self.prompt(checkpoint))),
            };
        }
        match stage {
            Stage::Finish => Work::Commit(Box::new(self.finish(now))),
            Stage::Extract | Stage::Download | Stage::Summarize | Stage::Output => self.document(),
            _ if self.is_spent(0.0) => self.over_budget(),
            _ => match self.request() {
                Ok(request) => Work::Ask(Box::new(request)),
                Err(failure) => Work::Commit(Box::new(ProgressBuilder::on(self).fail(failure))),
            },
        }
    }

    /// Whether the run, with `more_usd` added, has reached its budget.
    pub(crate) fn is_spent(&self, more_usd: f64) -> bool {
        let spent = plus_usd(self.run.cost_usd, more_usd);
        self.limit().is_some_and(|limit| spent >= limit)
    }

    /// Makes no call beyond the budget: requests an approval, or fails the run if its mode asks no
    /// one, or no answer can raise the limit.
    pub(crate) fn over_budget(&self) -> Work {
        let (spent, caps) = (self.run.cost_usd, &self.settings.caps);
        let reached = |cap: Option<f64>| cap.is_some_and(|cap| spent >= cap);
        let (code, error) = if reached(caps.today) {
            let error = "What may be spent in a day is spent; it is renewed at midnight UTC.";
            ("budget_spent", error.to_owned())
        } else if reached(caps.per_run) || !self.spec.checkpoints.contains(&Checkpoint::Budget) {
            let limit = self.limit().unwrap_or_default();
            let error = format!("The run has cost {spent:.4} of at most {limit:.4} US dollars.");
            ("budget_exceeded", error)
        } else {
            return Work::AskPerson(Box::new(self.prompt(Checkpoint::Budget)));
        };
        let failure = RunFailure {
            error,
            code: code.into(),
            error_type: "BudgetExceeded".into(),
        };
        Work::Commit(Box::new(ProgressBuilder::on(self).fail(failure)))
    }

    pub(crate) fn request(&self) -> Result<AgentRequest, RunFailure> {
        let at = self.position();
        let agent = self.agent().ok_or_else(|| incomplete(&at.node()))?;
        Ok(AgentRequest {
            agent: agent.to_owned(),
            model: self.settings.model(agent).map(ToOwned::to_owned),
            max_attempts: self.settings.max_attempts,
            earlier_calls: self.position().calls,
            max_cost_usd: self.limit().map(|limit| limit - self.run.cost_usd),
            node: at.node(),
            brief: self.brief(at.stage),
        })
    }

    fn brief(&self, stage: Stage) -> Brief {
        let history = self.history;
        let brief = Brief {
            task: history.task(),
            max_steps: self.settings.max_plan_steps,
            team: self.spec.team.iter().map(ToString::to_string).collect(),
            may_ask: self.may_ask(),
            done: history.done_before(0),
            ..Brief::default()
        };
        match stage {
            Stage::Plan => self.planning(brief, &[], &[]),
            Stage::Review => self.planning(brief, &history.draft, &[]),
            Stage::Revise => self.planning(brief, &history.draft, &history.remarks),
            Stage::Step => {
                let at = self.position();
                Brief {
                    plan: history.plan.clone(),
                    step: step(&history.plan, at).cloned(),
                    done: history.done_before(at.step),
                    remarks: history.step_remarks(at.step),
                    ..brief
                }
            }
            _ => brief,
        }
    }

    /// The brief of planner and reviewer.
    fn planning(&self, brief: Brief, draft: &[PlanStep], remarks: &[String]) -> Brief {
        Brief {
            instructions: self.instructions(),
            plan: draft.to_vec(),
            remarks: remarks.to_vec(),
            ..brief
        }
    }

    /// The instructions to planner and reviewer: the mode's own order of steps, an approved
    /// proposal, and the client's instructions.
    fn instructions(&self) -> String {
        let ideas = match self.settings.mode {
            Mode::IdeaGeneration => idea_instructions(self.settings.checkpoints.after_ideas),
            _ => String::new(),
        };
        let proposal = match self.history.proposal.as_str() {
            "" => String::new(),
            proposal => format!("The user agreed to this proposal:\n{proposal}"),
        };
        let parts = [ideas.as_str(), &proposal, &self.settings.plan_instructions];
        let said = parts.into_iter().filter(|part| !part.trim().is_empty());
        said.collect::<Vec<_>>().join("\n\n")
    }
}

fn incomplete(node: &str) -> RunFailure {
    RunFailure {
        error: format!("The record of the run does not say what to do at {node}."),
        code: "record_incomplete".into(),
        error_type: "RecordIncomplete".into(),
    }
}
