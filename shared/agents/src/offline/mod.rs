//! A deterministic text engine that stands in for a language model where there is none: on a developer's machine,
//! in a demonstration, in a test. It extracts, ranks and outlines the sentences that it is given, says in every
//! answer's `model` what it is, costs nothing, and goes through the same schemas as any other provider.

mod critique;
mod ideas;
mod number;
mod plan;
mod program;
mod report;
mod review;
mod route;
mod standing;
mod summary;
mod text;

use std::time::Duration;

use workflow::Brief;

use crate::{
    Agent, Content, Paper, ProviderError,
    provider::{Answering, Completion, CompletionEnd, ModelRequest, Provider},
};

/// The name of the engine, as ledgers and events show it.
pub const MODEL: &str = "offline/extract-1";

/// The engine. It keeps nothing between answers.
#[derive(Debug)]
pub(crate) struct Offline {
    /// How long an answer takes.
    pub(crate) latency: Duration,
}

impl Offline {
    async fn work(&self, request: &ModelRequest<'_>) -> Result<Completion, ProviderError> {
        let (agent, brief) = request.brief.ok_or(ProviderError::ReadsNoImages)?;
        tokio::time::sleep(self.latency).await;
        let text = serde_json::to_string(&answer(agent, brief, request.paper))
            .expect("our own answers are strings, lists and booleans");
        Ok(Completion {
            text,
            end: CompletionEnd::Finished,
            tokens: None,
        })
    }
}

impl Provider for Offline {
    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>) -> Answering<'a> {
        Box::pin(self.work(request))
    }
}

fn answer(agent: Agent, brief: &Brief, paper: Option<&Paper>) -> Content {
    match agent {
        Agent::Planner if brief.plan.is_empty() => Content::Plan(plan::draft(brief)),
        Agent::Planner => Content::Plan(plan::revise(brief)),
        Agent::PlanReviewer => Content::Review(review::write(brief)),
        Agent::Researcher => Content::Report(report::write(brief)),
        Agent::Engineer => Content::Program(program::write(brief)),
        Agent::IdeaMaker => Content::Ideas(ideas::make(brief)),
        Agent::IdeaHater => Content::Report(critique::write(brief)),
        Agent::CopilotControl => Content::Route(route::choose(brief)),
        Agent::Summarizer => Content::PaperSummary(summary::write(brief, paper)),
    }
}

/// What is to be done: the step, or else the first request of the task, or else its first sentence.
fn goal(brief: &Brief) -> String {
    if let Some(step) = &brief.step {
        return step.sub_task.clone();
    }
    let sentences = text::sentences(&brief.task);
    let request = sentences.iter().find(|sentence| sentence.is_request());
    request
        .or(sentences.first())
        .map(|sentence| sentence.text.clone())
        .unwrap_or_default()
}

/// What the user says about the step that is to be done.
fn heard(brief: &Brief) -> &[String] {
    if brief.step.is_some() {
        &brief.remarks
    } else {
        &[]
    }
}

/// The line at the end of a text that says what wrote it, and how.
fn disclaimer(how: &str) -> String {
    format!("*{how} by {MODEL} from the text it was given. No language model was asked.*")
}
