//! The agents, by the ids that clients, plans and ledgers use. The set is closed. A new agent needs
//! a variant here, a prompt file in `prompts/` and an answer form in `form`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An agent that can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agent {
    /// Drafts and revises the plan of a task.
    Planner,
    /// Criticises a plan.
    PlanReviewer,
    /// Completes a task, or one step of it, in Markdown.
    Researcher,
    /// Completes a task, or one step of it, with a program.
    Engineer,
    /// Generates ideas for a task, improves them and selects among them.
    IdeaMaker,
    /// Criticises ideas.
    IdeaHater,
    /// Decides how a turn of a conversation is answered.
    CopilotControl,
    /// Summarises a paper.
    Summarizer,
}

impl Agent {
    /// Every agent.
    pub const ALL: [Self; 8] = [
        Self::Planner,
        Self::PlanReviewer,
        Self::Researcher,
        Self::Engineer,
        Self::IdeaMaker,
        Self::IdeaHater,
        Self::CopilotControl,
        Self::Summarizer,
    ];

    /// The id in configurations, events and the ledger, e.g. `plan_reviewer`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::PlanReviewer => "plan_reviewer",
            Self::Researcher => "researcher",
            Self::Engineer => "engineer",
            Self::IdeaMaker => "idea_maker",
            Self::IdeaHater => "idea_hater",
            Self::CopilotControl => "copilot_control",
            Self::Summarizer => "summarizer",
        }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The name is not the id of an agent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no agent of this name")]
pub struct UnknownAgent;

impl FromStr for Agent {
    type Err = UnknownAgent;

    fn from_str(id: &str) -> Result<Self, UnknownAgent> {
        Self::ALL
            .into_iter()
            .find(|agent| agent.id() == id)
            .ok_or(UnknownAgent)
    }
}
