//! The offline engine: it answers without a language model, for demonstrations and tests.
//!
//! It quotes, ranks and outlines the sentences that it is given. The same brief always gets the
//! same answer. Every answer names [`MODEL`], costs nothing, and is checked against the same
//! JSON schema as the answer of any other provider.

mod ideas;
mod plan;
mod report;
mod route;
mod summary;
mod text;

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use session::PlanStep;
use workflow::Brief;

use crate::{
    Agent, Paper, ProviderError,
    provider::{Answering, Completion, CompletionEnd, ModelRequest, Provider},
};

/// The name of the engine, as ledgers and events show it.
pub const MODEL: &str = "offline/extract-1";

/// The engine. It keeps no state between answers.
#[derive(Debug)]
pub(crate) struct Offline {
    /// How long an answer takes.
    pub(crate) latency: Duration,
}

impl Provider for Offline {
    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>) -> Answering<'a> {
        Box::pin(async {
            let (agent, brief) = request.brief.ok_or(ProviderError::ReadsNoImages)?;
            tokio::time::sleep(self.latency).await;
            Ok(Completion {
                text: answer(agent, brief, request.paper).to_string(),
                end: CompletionEnd::Finished,
                tokens: None,
            })
        })
    }
}

/// What the engine reads of a brief.
struct Input<'a> {
    task: &'a str,
    instructions: &'a str,
    /// What was said in the session before, oldest first.
    said: Vec<&'a str>,
    /// What a person or a reviewer says about the step or, without one, about the plan.
    remarks: &'a [String],
    step: Option<Step>,
    plan: Vec<Step>,
    /// The sub-task and the summary of each step that is done.
    done: Vec<(&'a str, &'a str)>,
    max_steps: usize,
    team: &'a [String],
}

/// A step of a plan, in the form of the answer.
#[derive(Serialize)]
struct Step {
    sub_task: String,
    sub_task_agent: String,
    bullet_points: Vec<String>,
}

impl From<&PlanStep> for Step {
    fn from(step: &PlanStep) -> Self {
        Self {
            sub_task: step.sub_task.clone(),
            sub_task_agent: step.sub_task_agent.clone(),
            bullet_points: step.bullet_points.clone(),
        }
    }
}

impl Input<'_> {
    /// The sub-task of the step, or else the first request of the task, or else its first sentence.
    fn goal(&self) -> String {
        if let Some(step) = &self.step {
            return step.sub_task.clone();
        }
        let sentences = text::sentences(self.task);
        let request = sentences.iter().find(|sentence| sentence.is_request());
        let goal = request.or(sentences.first());
        goal.map_or_else(String::new, |sentence| sentence.text.clone())
    }
}

fn answer(agent: Agent, brief: &Brief, paper: Option<&Paper>) -> Value {
    let done = brief.done.iter();
    let input = Input {
        task: &brief.task,
        instructions: &brief.instructions,
        said: brief.history.iter().map(|turn| &*turn.text).collect(),
        remarks: &brief.remarks,
        step: brief.step.as_ref().map(Step::from),
        plan: brief.plan.iter().map(Step::from).collect(),
        done: done.map(|step| (&*step.sub_task, &*step.summary)).collect(),
        max_steps: brief.max_steps.max(1) as usize,
        team: &brief.team,
    };
    match agent {
        Agent::Planner if input.plan.is_empty() => json!({"steps": plan::draft(&input)}),
        Agent::Planner => json!({"steps": plan::revise(input)}),
        Agent::PlanReviewer => plan::review(&input),
        Agent::Researcher => report::report(&input),
        Agent::Engineer => report::program(&input),
        Agent::IdeaMaker => ideas::make(&input),
        Agent::IdeaHater => ideas::criticise(&input),
        Agent::CopilotControl => route::choose(&brief.task, brief.may_ask),
        Agent::Summarizer => {
            let paper = paper.cloned().unwrap_or_default();
            let mut summary =
                summary::write(&brief.task, &paper.title, &paper.abstract_text, &paper.text);
            summary["title"] = json!(paper.title);
            summary["authors"] = json!(paper.authors);
            summary["date"] = json!(paper.published);
            summary["abstract"] = json!(paper.abstract_text);
            summary
        }
    }
}
