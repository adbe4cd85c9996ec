//! The structured part of an agent's reply: a plan, ideas or a route.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanStep {
    /// The task of the step.
    pub sub_task: String,
    /// The agent that carries it out.
    pub sub_task_agent: String,
    /// Notes for that agent.
    pub bullet_points: Vec<String>,
}

/// How copilot handles a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    /// One agent answers the task.
    OneShot,
    /// A plan is drafted and carried out.
    Planned,
    /// The person is asked for a clarification first.
    Clarify,
    /// The person is asked to agree to a proposal first.
    Propose,
}

/// Copilot's decision about a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// How the task is handled.
    pub kind: RouteKind,
    /// The agent that answers, if the route is one-shot.
    pub agent: String,
}

/// The structured part of an agent's reply, by which the engine goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StructuredOutput {
    /// The draft of a plan.
    Plan(Vec<PlanStep>),
    /// Ideas to choose from, best first.
    Ideas(Vec<String>),
    /// Copilot's decision.
    Route(Route),
}

// The JSON schema of `StructuredOutput` flattened into an event: at most one field is set.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct StructuredOutputFields {
    #[schemars(skip_serializing_if = "Option::is_none")]
    plan: Option<Vec<PlanStep>>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    ideas: Option<Vec<String>>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    route: Option<Route>,
}
