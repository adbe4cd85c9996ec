//! The types of the agents' answers. `form` derives from them the JSON schemas that validate
//! answers. A model receives the descriptions and limits written here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use session::PlanStep;
use workflow::{AnswerContent, Usage};

use crate::{Agent, Ideas, PaperSummary, RouteAnswer};

/// The result of a successful call.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelAnswer {
    /// The answer. Its variant follows from the agent.
    pub content: Content,
    /// The model that answered, under its name in the ledger.
    pub model: String,
    /// The number of answers until one was valid, from 1.
    pub attempts: u32,
    /// The number of requests to the provider.
    pub calls: u32,
    /// One entry per reply of the model. Unusable ones count too, because they also cost money.
    pub usages: Vec<Usage>,
}

/// The answer, by its form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// From the planner.
    Plan(Plan),
    /// From the plan reviewer.
    Review(Review),
    /// From the researcher and the idea hater.
    Report(Report),
    /// From the engineer.
    Program(Program),
    /// From the idea maker.
    Ideas(Ideas),
    /// From the copilot's control.
    Route(RouteAnswer),
    /// From the summarizer.
    PaperSummary(PaperSummary),
}

/// How a task is to be done, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The steps in the order in which they are done.
    #[schemars(with = "Vec<PlanStepSchema>", length(min = 1))]
    pub steps: Vec<PlanStep>,
}

/// One step of a plan. The lengths keep a step well under the 32 KiB that the record allows it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "a schema alone, which is never filled in")]
struct PlanStepSchema {
    /// What is to be done, in one or two sentences.
    #[schemars(length(max = 2000), regex(pattern = r"\S"))]
    sub_task: String,
    /// Who does it.
    sub_task_agent: String,
    /// What to look at while doing it.
    #[schemars(length(max = 12), inner(length(max = 500)))]
    bullet_points: Vec<String>,
}

impl From<Content> for AnswerContent {
    fn from(content: Content) -> Self {
        match content {
            Content::Plan(plan) => Self::Plan(plan.steps),
            Content::Review(review) if review.approved => Self::Review(Vec::new()),
            Content::Review(review) => Self::Review(review.recommendations),
            Content::Report(_) | Content::PaperSummary(_) => Self::Report,
            Content::Program(_) => Self::Program,
            Content::Ideas(ideas) => {
                let ideas = ideas.ideas.into_iter();
                let texts = ideas.map(|idea| format!("{}: {}", idea.title, idea.description));
                Self::Ideas(texts.collect())
            }
            Content::Route(answer) => Self::Route(session::Route {
                kind: answer.route,
                agent: Agent::from(answer.agent).id().into(),
            }),
        }
    }
}

impl Content {
    /// The answer as Markdown, for a message in the record.
    pub fn message(&self) -> String {
        match self {
            Self::Plan(plan) => list(plan.steps.iter().map(|step| {
                let points = step
                    .bullet_points
                    .iter()
                    .map(|point| format!("\n   - {point}"));
                let (goal, agent) = (&step.sub_task, &step.sub_task_agent);
                format!("{goal} ({agent}){}", points.collect::<String>())
            })),
            Self::Review(review) if review.recommendations.is_empty() => self.summary(),
            Self::Review(review) => list(review.recommendations.iter().cloned()),
            Self::Report(report) => report.content.clone(),
            Self::Ideas(ideas) => ideas.content.clone(),
            Self::Route(route) => route.message.clone(),
            Self::PaperSummary(paper) => paper.message(),
            Self::Program(program) => {
                let Program {
                    filename,
                    language,
                    code,
                    explanation,
                    ..
                } = program;
                let fence = fence_around(code);
                format!(
                    "{explanation}\n\n`{filename}`:\n\n{fence}{language}\n{}\n{fence}",
                    code.trim_end()
                )
            }
        }
    }

    /// The short form of the answer, for later steps and for lists.
    pub fn summary(&self) -> String {
        match self {
            Self::Plan(plan) => format!("A plan with {} step(s).", plan.steps.len()),
            Self::Review(review) if review.recommendations.is_empty() => {
                "The plan can be followed as it stands.".to_owned()
            }
            Self::Review(review) => format!("{} recommendation(s).", review.recommendations.len()),
            Self::Report(report) => report.summary.clone(),
            Self::Program(program) => program.summary.clone(),
            Self::Ideas(ideas) => ideas.summary.clone(),
            Self::Route(route) => route.summary(),
            Self::PaperSummary(paper) => paper.summary(),
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = items
        .enumerate()
        .map(|(i, item)| format!("{}. {item}", i + 1))
        .collect();
    lines.join("\n")
}

/// A Markdown fence that does not occur in the code.
fn fence_around(code: &str) -> String {
    let longest = code
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

/// What is to be changed in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// True when the plan can be followed as it stands.
    pub approved: bool,
    /// One change per entry, the most important first; empty when there is nothing to change.
    #[schemars(length(max = 20), inner(length(max = 1000)))]
    pub recommendations: Vec<String>,
}

/// A piece of writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The whole answer, in Markdown.
    #[schemars(regex(pattern = r"\S"))]
    pub content: String,
    /// What was found, in at most five sentences, for those who do the later steps.
    #[schemars(length(max = 2000), regex(pattern = r"\S"))]
    pub summary: String,
}

/// A program. It is kept as an artifact and never executed here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// A plain file name with its ending, without folders.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"))]
    pub filename: String,
    /// The programming language, in lower case, e.g. `python`.
    #[schemars(length(max = 40), regex(pattern = r"\S"))]
    pub language: String,
    /// The whole source text.
    #[schemars(regex(pattern = r"\S"))]
    pub code: String,
    /// How it works and how to run it, in Markdown.
    #[schemars(regex(pattern = r"\S"))]
    pub explanation: String,
    /// What it does, in at most five sentences, for those who do the later steps.
    #[schemars(length(max = 2000), regex(pattern = r"\S"))]
    pub summary: String,
}
