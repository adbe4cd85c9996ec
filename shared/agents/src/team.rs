//! Whom a plan may give its steps to, and what a planner is told of each of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Agent;

/// The agents that can do a step of a plan. Which of them a plan may use, its [`Brief::team`](crate::Brief::team) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepAgent {
    /// For reading, explaining, comparing, writing.
    Researcher,
    /// For writing a program.
    Engineer,
    /// For finding, improving and choosing ideas.
    IdeaMaker,
    /// For criticising ideas.
    IdeaHater,
}

impl StepAgent {
    /// What follows the agent's name in a list of the team.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Researcher => {
                "reads, explains, compares and writes. It knows the task, the plan, and the summaries of the steps before its own. It has no access to the internet."
            }
            Self::Engineer => {
                "writes a program. The program is kept and handed over; nobody runs it here."
            }
            Self::IdeaMaker => {
                "finds ideas, improves them, chooses among them, and writes up the one that is chosen. It knows the task, the plan, and the summaries of the steps before its own."
            }
            Self::IdeaHater => {
                "criticises the ideas that stand so far: it names the weaknesses of each, and makes none of its own."
            }
        }
    }
}

impl From<StepAgent> for Agent {
    fn from(agent: StepAgent) -> Self {
        match agent {
            StepAgent::Researcher => Self::Researcher,
            StepAgent::Engineer => Self::Engineer,
            StepAgent::IdeaMaker => Self::IdeaMaker,
            StepAgent::IdeaHater => Self::IdeaHater,
        }
    }
}
