//! The answer of the copilot's control: how a turn of a conversation is processed, and by which
//! agent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use session::RouteKind;

use crate::Agent;

/// How a turn is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteAnswer {
    /// How the turn is answered.
    pub route: RouteKind,
    /// Who answers when it goes `one_shot`, now or after the user's reply.
    pub agent: TaskAgent,
    /// For `clarify` the question to the user, for `propose` what would be done and how; else one
    /// sentence that says why.
    #[schemars(length(max = 4000), regex(pattern = r"\S"))]
    pub message: String,
}

/// The agents that can answer a whole task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskAgent {
    /// Answers in writing.
    Researcher,
    /// Answers with a program.
    Engineer,
}

impl RouteAnswer {
    /// The short form of the decision, for lists.
    pub(crate) fn summary(&self) -> String {
        match self.route {
            RouteKind::OneShot => format!("The {} answers at once.", Agent::from(self.agent)),
            RouteKind::Planned => "A plan is made and followed.".to_owned(),
            RouteKind::Clarify => "A question to the user.".to_owned(),
            RouteKind::Propose => "A proposal to the user.".to_owned(),
        }
    }
}

/// The allowed routes, depending on whether the user may be asked.
pub(crate) const fn allowed_routes(may_ask: bool) -> &'static [RouteKind] {
    use RouteKind::{Clarify, OneShot, Planned, Propose};
    if may_ask {
        &[OneShot, Planned, Clarify, Propose]
    } else {
        &[OneShot, Planned]
    }
}

impl TaskAgent {
    /// Both agents.
    pub(crate) const ALL: [Self; 2] = [Self::Researcher, Self::Engineer];
}

impl From<TaskAgent> for Agent {
    fn from(agent: TaskAgent) -> Self {
        match agent {
            TaskAgent::Researcher => Self::Researcher,
            TaskAgent::Engineer => Self::Engineer,
        }
    }
}
