//! The configuration of a run as a client gives it: every key with its type, range, default and
//! meaning. Parsing, the documents of the API and [`config_keys`](crate::config_keys) use this
//! type.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session::Mode;

use super::field_error::FieldError;
use super::{
    DocumentName, RunSettingsError,
    checkpoint_settings::must_be_a_checkpoint_choice,
    fields::{Amount, ApprovalMode, CheckpointChoice, HitlVariant, ModelName, OneShotAgent, Whole},
};
use crate::modes::ModeSpec;

/// Joins the meaning of a key and its default in a description.
pub(super) const DEFAULT_IS: &str = " Default: ";

/// What a client chooses about a run. A key means something in some modes and is ignored in the
/// others; unknown keys are ignored. It is stored and shown as it was given: put no secrets here.
/// At most 64 KiB.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(rename = "Config", transform = accept_null)]
pub struct RunConfig {
    /// The model of every agent; the deployment's model without it.
    pub model: Option<ModelName>,
    /// How often an agent is asked within one invocation until its answer fits its schema, and in
    /// how many invocations a stage is tried whose provider fails.
    pub max_attempts: Whole<1, 10>,
    /// How often copilot decides about one turn.
    pub max_rounds: Whole<1, 100>,
    /// US dollars at which no further call is made before a person agrees. Every model then needs
    /// a known price.
    pub max_cost_usd: Option<Amount>,
    /// The agent that answers in mode `one-shot`.
    pub agent: OneShotAgent,
    /// The most steps of a plan.
    pub max_plan_steps: Whole<1, 50>,
    /// The most rounds of review by an agent.
    pub n_plan_reviews: Whole<0, 5>,
    /// Instructions to planner and reviewer beside the task.
    pub plan_instructions: String,
    /// The model of the planner; `model` without it.
    pub planner_model: Option<ModelName>,
    /// The model of the plan reviewer; `model` without it.
    pub plan_reviewer_model: Option<ModelName>,
    /// The model of the researcher; `model` without it.
    pub researcher_model: Option<ModelName>,
    /// The model of the engineer; `model` without it.
    pub engineer_model: Option<ModelName>,
    /// The model of the idea maker; `model` without it.
    pub idea_maker_model: Option<ModelName>,
    /// The model of the idea hater; `model` without it.
    pub idea_hater_model: Option<ModelName>,
    /// The checkpoints of a plan and its steps in modes `planning-control` and `idea-generation`;
    /// `both` is `before_step` and `after_step`. `after_ideas` is for `idea-generation` alone.
    pub checkpoints: CheckpointChoice,
    /// The checkpoints of the steps in mode `hitl-interactive`; a failed step asks with each.
    /// Ignored in the other modes, where existing clients send it too.
    pub approval_mode: ApprovalMode,
    /// The checkpoints of mode `hitl-interactive`: `full_interactive` has the plan, failed steps,
    /// and steps by `approvalMode`; `planning_only` the plan; `error_recovery` failed steps.
    pub hitl_variant: HitlVariant,
    /// How often a person may send the plan back.
    pub max_human_iterations: Whole<0, 20>,
    /// `false` takes the option `modify` away.
    pub allow_plan_modification: bool,
    /// `false` takes the option `skip` away.
    pub allow_step_skip: bool,
    /// `false` takes the options `retry` and `redo` away.
    pub allow_step_retry: bool,
    /// Whether each turn ends at a `copilot_turn` checkpoint instead of ending the run.
    pub conversational: bool,
    /// The document that mode `ocr` reads: the name of an upload of the session, or
    /// `<session_id>/<name>` for one of another session of the same owner.
    #[schemars(with = "Option<String>")]
    pub document: Option<DocumentName>,
    /// Whether mode `ocr` writes Markdown.
    pub save_markdown: bool,
    /// Whether mode `ocr` writes JSON.
    pub save_json: bool,
    /// Whether mode `ocr` writes plain text.
    pub save_text: bool,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            model: None,
            max_attempts: Whole(3),
            max_rounds: Whole(25),
            max_cost_usd: None,
            agent: OneShotAgent::Researcher,
            max_plan_steps: Whole(10),
            n_plan_reviews: Whole(1),
            plan_instructions: String::new(),
            planner_model: None,
            plan_reviewer_model: None,
            researcher_model: None,
            engineer_model: None,
            idea_maker_model: None,
            idea_hater_model: None,
            checkpoints: CheckpointChoice::None,
            approval_mode: ApprovalMode::Both,
            hitl_variant: HitlVariant::FullInteractive,
            max_human_iterations: Whole(3),
            allow_plan_modification: true,
            allow_step_skip: true,
            allow_step_retry: true,
            conversational: false,
            document: None,
            save_markdown: true,
            save_json: true,
            save_text: false,
        }
    }
}

impl RunConfig {
    /// Reads the keys of a mode; null counts as absent.
    ///
    /// # Errors
    /// [`RunSettingsError`] for the first key, by name, that does not fit.
    pub(super) fn read(mode: Mode, config: &Value) -> Result<Self, RunSettingsError> {
        let given = match config {
            Value::Null => return Ok(Self::default()),
            Value::Object(given) => given,
            _ => return Err(RunSettingsError::WholeConfig),
        };
        let keys = ModeSpec::of(mode).config_keys();
        let read: Map<String, Value> = keys
            .filter_map(|key| Some((key.to_owned(), given.get(key)?.clone())))
            .filter(|(_, value)| !value.is_null())
            .collect();
        serde_path_to_error::deserialize(Value::Object(read)).map_err(|error| {
            let FieldError { field, must_be } = error.into();
            let must_be = match field.as_str() {
                "checkpoints" => must_be_a_checkpoint_choice(mode),
                _ => must_be,
            };
            RunSettingsError::invalid(field, must_be)
        })
    }
}

/// Each key may be null, and its default is part of its description: `default` in a schema would
/// tell generated clients to send it.
fn accept_null(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    let properties = properties.into_iter().flat_map(Map::values_mut);
    for key in properties.filter_map(Value::as_object_mut) {
        if let Some(default) = key.remove("default").filter(|default| !default.is_null()) {
            let default = match default {
                Value::String(word) => word,
                other => other.to_string(),
            };
            if let Some(Value::String(meaning)) = key.get_mut("description")
                && !default.is_empty()
            {
                *meaning += &format!("{DEFAULT_IS}{default}.");
            }
        }
        if let Some(reference) = key.remove("$ref") {
            key.insert(
                "anyOf".into(),
                json!([{"$ref": reference}, {"type": "null"}]),
            );
        }
        if let Some(Value::String(kind)) = key.get("type") {
            let nullable = json!([kind, "null"]);
            key.insert("type".into(), nullable);
        }
    }
}
