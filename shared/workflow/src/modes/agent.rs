//! The ids of the agents in configurations, plans, events and costs.

/// Drafts and revises a plan.
pub const PLANNER: &str = "planner";
/// Criticises a plan.
pub const PLAN_REVIEWER: &str = "plan_reviewer";
/// Answers a task, or a step of a plan, with a text.
pub const RESEARCHER: &str = "researcher";
/// Answers a task, or a step of a plan, with a program.
pub const ENGINEER: &str = "engineer";

/// Makes, improves, chooses and writes up ideas.
pub const IDEA_MAKER: &str = "idea_maker";
/// Criticises ideas.
pub const IDEA_HATER: &str = "idea_hater";
/// Chooses the agent or the plan for a turn.
pub const COPILOT_CONTROL: &str = "copilot_control";

/// The agents that a task or a step can be given to.
pub(crate) const WORKERS: [&str; 2] = [RESEARCHER, ENGINEER];

/// The agents that work on ideas.
pub(crate) const IDEA_TEAM: [&str; 2] = [IDEA_MAKER, IDEA_HATER];
