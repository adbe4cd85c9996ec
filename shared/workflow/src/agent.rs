//! The agents' ids, as configurations, plans, events and the ledger spell them.

/// Drafts and revises a plan.
pub const PLANNER: &str = "planner";
/// Criticises a plan.
pub const PLAN_REVIEWER: &str = "plan_reviewer";
/// Answers a task, or a step of a plan, in words.
pub const RESEARCHER: &str = "researcher";
/// Answers a task, or a step of a plan, with a program.
pub const ENGINEER: &str = "engineer";

/// The agents that a task or a step can be given to.
pub(crate) const WORKERS: [&str; 2] = [RESEARCHER, ENGINEER];
