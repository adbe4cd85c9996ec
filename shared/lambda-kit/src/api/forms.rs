//! The forms of what clients send that more than one route or frame takes. Nothing is read by them: [`crate::Fields`] takes values out
//! one by one, so that each mistake has its own sentence.
#![allow(
    missing_docs,
    reason = "the names are the contract's; what is documented here is shown to clients"
)]

use schemars::JsonSchema;

/// A person's answer to a question of a run: `resolution`, or else `approved`.
#[derive(JsonSchema)]
#[schemars(extend("anyOf" = [
    {"required": ["resolution"], "properties": {"resolution": {"type": "string"}}},
    {"required": ["approved"], "properties": {"approved": {"type": "boolean"}}},
]))]
pub struct Answer {
    /// One of the approval's options; `approved`, `rejected` and `modified` are synonyms.
    pub resolution: Option<String>,
    /// The positive or the negative option, whatever it is called.
    pub approved: Option<bool>,
    /// In the person's words; at most 32 KiB.
    #[schemars(length(max = 32768))]
    pub feedback: Option<String>,
    /// What replaces what was asked about.
    pub modifications: Option<Modifications>,
}

/// What replaces what was asked about.
#[derive(JsonSchema)]
pub struct Modifications {
    /// The plan, with the option `modify`.
    pub plan: Option<Vec<Step>>,
}

/// A step of a plan.
#[derive(JsonSchema)]
pub struct Step {
    /// What is to be done.
    #[schemars(regex(pattern = r"\S"))]
    pub sub_task: String,
    /// Who does it: an agent of the mode's team.
    pub sub_task_agent: String,
    /// What to mind.
    pub bullet_points: Option<Vec<String>>,
}
