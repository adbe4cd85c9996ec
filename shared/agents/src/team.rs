//! Descriptions of the agents that can do a step, for a planner.

use crate::Agent;

impl Agent {
    /// The text after the agent's name in the team; `None` for an agent that does no steps.
    pub(crate) const fn step_description(self) -> Option<&'static str> {
        Some(match self {
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
            _ => return None,
        })
    }
}
