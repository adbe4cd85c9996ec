//! The forms of what clients send that more than one route or frame takes. Nothing is read by them: [`crate::Fields`] takes values out
//! one by one, so that each mistake has its own sentence. A test holds the keys of [`Config`] against those that are read.
#![allow(
    missing_docs,
    reason = "the names are the contract's; what is documented here is shown to clients"
)]

use schemars::JsonSchema;

/// What a client chooses about a run. A key means something in some modes and is ignored in the others; unknown keys are
/// ignored. It is stored and shown as it was given: put no secrets here. At most 64 KiB.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Config {
    /// The model of every agent.
    #[schemars(regex(pattern = r"\S"))]
    pub model: Option<String>,
    /// How often an agent is asked until its answer fits its schema; 3 without it.
    #[schemars(range(min = 1, max = 10))]
    pub max_attempts: Option<u32>,
    /// How often copilot decides about one turn; 25 without it.
    #[schemars(range(min = 1, max = 100))]
    pub max_rounds: Option<u32>,
    /// US dollars at which no further call is made before a person agrees. Every model then needs a known price.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub max_cost_usd: Option<f64>,
    /// Who answers in mode `one-shot`; `researcher` without it.
    pub agent: Option<Worker>,
    /// The most steps of a plan; 10 without it.
    #[schemars(range(min = 1, max = 50))]
    pub max_plan_steps: Option<u32>,
    /// The most rounds of review by an agent; 1 without it.
    #[schemars(range(min = 0, max = 5))]
    pub n_plan_reviews: Option<u32>,
    /// Told to planner and reviewer beside the task.
    pub plan_instructions: Option<String>,
    /// The model of one agent, as in the keys that follow.
    #[schemars(regex(pattern = r"\S"))]
    pub planner_model: Option<String>,
    #[schemars(regex(pattern = r"\S"))]
    pub plan_reviewer_model: Option<String>,
    #[schemars(regex(pattern = r"\S"))]
    pub researcher_model: Option<String>,
    #[schemars(regex(pattern = r"\S"))]
    pub engineer_model: Option<String>,
    #[schemars(regex(pattern = r"\S"))]
    pub idea_maker_model: Option<String>,
    #[schemars(regex(pattern = r"\S"))]
    pub idea_hater_model: Option<String>,
    /// Where a person is asked. `after_ideas` is of `idea-generation` alone; `hitl-interactive` has no `none` and no
    /// `after_planning`.
    pub approval_mode: Option<ApprovalMode>,
    /// What is asked about in mode `hitl-interactive`; `full_interactive` without it.
    pub hitl_variant: Option<HitlVariant>,
    /// How often a person may send the plan back; 3 without it.
    #[schemars(range(min = 0, max = 20))]
    pub max_human_iterations: Option<u32>,
    /// `false` takes the option `modify` away.
    pub allow_plan_modification: Option<bool>,
    /// `false` takes the option `skip` away.
    pub allow_step_skip: Option<bool>,
    /// `false` takes the options `retry` and `redo` away.
    pub allow_step_retry: Option<bool>,
    /// Whether each turn ends at a `copilot_turn` checkpoint instead of ending the run.
    pub conversational: Option<bool>,
    /// The document that mode `ocr` reads.
    pub document: Option<String>,
    /// Whether mode `ocr` writes Markdown.
    pub save_markdown: Option<bool>,
    /// Whether mode `ocr` writes JSON.
    pub save_json: Option<bool>,
    /// Whether mode `ocr` writes plain text.
    pub save_text: Option<bool>,
}

/// Who answers a task.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Worker {
    Researcher,
    Engineer,
}

/// Where a person is asked.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum ApprovalMode {
    None,
    AfterPlanning,
    AfterIdeas,
    BeforeStep,
    AfterStep,
    Both,
    OnError,
}

/// What is asked about.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum HitlVariant {
    FullInteractive,
    PlanningOnly,
    ErrorRecovery,
}

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
