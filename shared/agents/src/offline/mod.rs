//! The offline engine: it answers without a language model, for demonstrations and tests.
//!
//! It takes sentences out of the text that it is given, puts fixed headings and phrases around
//! them, and invents no fact. The same brief always gets the same answer. Every answer names
//! [`MODEL`], costs nothing, and is checked against the same JSON schema as the answer of any other
//! provider.

mod ideas;
mod plan;
mod report;
mod summary;
mod text;

use std::time::Duration;

use serde_json::{Value, json};
use workflow::Brief;

use crate::{
    Agent, PaperBrief, ProviderError,
    provider::{Answering, Completion, CompletionEnd, ModelRequest, Provider},
    usage::ReportedUsage,
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
                usage: ReportedUsage::default(),
            })
        })
    }
}

fn answer(agent: Agent, brief: &Brief, paper: Option<&PaperBrief>) -> Value {
    match agent {
        Agent::Planner if brief.plan.is_empty() => json!({"steps": plan::draft(brief)}),
        Agent::Planner => json!({"steps": plan::revise(brief)}),
        Agent::PlanReviewer => plan::review(brief),
        Agent::Researcher => report::report(brief),
        Agent::Engineer => report::program(brief),
        Agent::IdeaMaker => ideas::make(brief),
        Agent::IdeaHater => ideas::criticise(brief),
        Agent::CopilotControl => plan::route(brief),
        Agent::Summarizer => summary::summarise(&paper.cloned().unwrap_or_default()),
    }
}
