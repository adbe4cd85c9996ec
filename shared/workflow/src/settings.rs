//! A run's configuration, parsed into types: the keys of the contract's section 5, with their defaults and ranges.
//!
//! The keys of modes that are not built yet are held to their types alone (`to_come`). Unknown keys are ignored.

use std::collections::BTreeMap;

use serde_json::Value;
use session::{Failure, Mode};

use crate::{Path, agent, keys::Keys, to_come};

/// The key of `agent` → the key that overrides its model.
const MODEL_KEYS: [(&str, &str); 4] = [
    (agent::PLANNER, "plannerModel"),
    (agent::PLAN_REVIEWER, "planReviewerModel"),
    (agent::RESEARCHER, "researcherModel"),
    (agent::ENGINEER, "engineerModel"),
];

const APPROVAL_MODES: [&str; 6] = [
    "none",
    "after_planning",
    "before_step",
    "after_step",
    "both",
    "on_error",
];

/// What a client may choose about a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The session's mode.
    pub mode: Mode,
    /// How often an agent is asked again, in all, before its step fails (`maxAttempts`).
    pub max_attempts: u32,
    /// How many rounds a conversation of agents may take (`maxRounds`); no available mode has one yet.
    pub max_rounds: u32,
    /// US dollars at which a run makes no further call (`maxCostUsd`).
    pub max_cost_usd: Option<f64>,
    /// The most steps that a plan may have (`maxPlanSteps`).
    pub max_plan_steps: u32,
    /// How often a plan is reviewed and revised (`nPlanReviews`).
    pub plan_reviews: u32,
    /// What planner and reviewer are told beside the task (`planInstructions`).
    pub plan_instructions: String,
    agent: &'static str,
    model: Option<String>,
    models: BTreeMap<&'static str, String>,
}

/// A configuration that cannot be used. Its text is a sentence for the client and names the key, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not an object.
    #[error("config must be a JSON object.")]
    WholeConfig,
    /// A key of the wrong type or out of its range.
    #[error("config.{key} must be {must_be}.")]
    Invalid {
        /// Which key.
        key: &'static str,
        /// What it must be.
        must_be: String,
    },
    /// A value of the contract that this version cannot honour: refused rather than passed over.
    #[error("config.{key} = {value} is not available yet; {instead}.")]
    NotAvailable {
        /// Which key.
        key: &'static str,
        /// Which of its values.
        value: &'static str,
        /// What can be done instead.
        instead: &'static str,
    },
}

impl SettingsError {
    /// How a run fails whose stored configuration cannot be used.
    pub fn as_failure(&self) -> Failure {
        Failure {
            error: self.to_string(),
            code: "invalid_config".into(),
            error_type: "InvalidConfig".into(),
        }
    }
}

impl Settings {
    /// What a run of this mode has when its client chooses nothing.
    pub fn defaults(mode: Mode) -> Self {
        Self {
            mode,
            max_attempts: 3,
            max_rounds: 25,
            max_cost_usd: None,
            max_plan_steps: 10,
            plan_reviews: 1,
            plan_instructions: String::new(),
            agent: Path::of(mode).agent,
            model: None,
            models: BTreeMap::new(),
        }
    }

    /// Reads a configuration; an absent or null key, or a null for the whole, takes the default.
    ///
    /// The `approvalMode` of planning-control is refused unless it is `none`. A mode that is not built yet has its keys
    /// checked; its run then says that it is not available.
    ///
    /// # Errors
    /// [`SettingsError`] for the first key that does not fit.
    pub fn parse(mode: Mode, config: &Value) -> Result<Self, SettingsError> {
        let keys = Keys::of(config)?;
        let mut settings = Self::defaults(mode);
        settings.read_common(&keys)?;
        match mode {
            Mode::OneShot => settings.read_one_shot(&keys)?,
            Mode::PlanningControl => {
                settings.read_planning(&keys)?;
                none_asked(&keys)?;
            }
            Mode::IdeaGeneration | Mode::HitlInteractive | Mode::Copilot => {
                settings.read_planning(&keys)?;
            }
            Mode::Ocr | Mode::Arxiv | Mode::EnhanceInput => {}
        }
        to_come::check(mode, &keys)?;
        Ok(settings)
    }

    /// The agent that a list of runs shows.
    pub const fn agent(&self) -> &'static str {
        self.agent
    }

    /// The model that was chosen for an agent; none for the deployment's default.
    pub fn model(&self, agent: &str) -> Option<&str> {
        self.models
            .get(agent)
            .or(self.model.as_ref())
            .map(String::as_str)
    }

    /// The model of each agent that the run may ask: with `maxCostUsd`, each must have a price.
    pub fn models(&self) -> Vec<Option<&str>> {
        let agents: &[&str] = match self.mode {
            Mode::OneShot => &[self.agent],
            Mode::PlanningControl if self.plan_reviews == 0 => {
                &[agent::PLANNER, agent::RESEARCHER, agent::ENGINEER]
            }
            Mode::PlanningControl => &[
                agent::PLANNER,
                agent::PLAN_REVIEWER,
                agent::RESEARCHER,
                agent::ENGINEER,
            ],
            _ => &[],
        };
        agents.iter().map(|agent| self.model(agent)).collect()
    }

    fn read_common(&mut self, keys: &Keys) -> Result<(), SettingsError> {
        self.model = keys.name("model")?;
        self.max_attempts = keys.whole("maxAttempts", self.max_attempts, 1..=10)?;
        self.max_rounds = keys.whole("maxRounds", self.max_rounds, 1..=100)?;
        self.max_cost_usd = keys.amount("maxCostUsd")?;
        Ok(())
    }

    fn read_one_shot(&mut self, keys: &Keys) -> Result<(), SettingsError> {
        if let Some(agent) = keys.one_of("agent", &agent::WORKERS)? {
            self.agent = agent;
        }
        Ok(())
    }

    fn read_planning(&mut self, keys: &Keys) -> Result<(), SettingsError> {
        for (agent, key) in MODEL_KEYS {
            if let Some(model) = keys.name(key)? {
                self.models.insert(agent, model);
            }
        }
        self.max_plan_steps = keys.whole("maxPlanSteps", self.max_plan_steps, 1..=50)?;
        self.plan_reviews = keys.whole("nPlanReviews", self.plan_reviews, 0..=5)?;
        self.plan_instructions = keys.text("planInstructions")?.unwrap_or_default().into();
        Ok(())
    }
}

/// Checkpoints are not built yet: a client that asked to be asked must not be passed over.
fn none_asked(keys: &Keys) -> Result<(), SettingsError> {
    match keys.one_of("approvalMode", &APPROVAL_MODES)? {
        None | Some("none") => Ok(()),
        Some(value) => Err(SettingsError::NotAvailable {
            key: "approvalMode",
            value,
            instead: "use none",
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(mode: Mode, config: &Value) -> String {
        Settings::parse(mode, config).unwrap_err().to_string()
    }

    #[test]
    fn absent_null_and_unknown_keys_leave_the_defaults() {
        for config in [
            Value::Null,
            json!({}),
            json!({"maxAttempts": null, "approvalMode": null, "sessionName": 7}),
        ] {
            let settings = Settings::parse(Mode::PlanningControl, &config).unwrap();
            assert_eq!(settings, Settings::defaults(Mode::PlanningControl));
        }
    }

    #[test]
    fn every_key_is_read() {
        let config = json!({
            "model": "m", "maxAttempts": 10, "maxRounds": 100, "maxCostUsd": 0.5, "maxPlanSteps": 50,
            "nPlanReviews": 0, "planInstructions": "be brief", "plannerModel": " p ",
            "engineerModel": "e", "approvalMode": "none",
        });
        let settings = Settings::parse(Mode::PlanningControl, &config).unwrap();
        assert_eq!(settings.max_attempts, 10);
        assert_eq!(settings.max_rounds, 100);
        assert_eq!(settings.max_cost_usd, Some(0.5));
        assert_eq!(settings.max_plan_steps, 50);
        assert_eq!(settings.plan_reviews, 0);
        assert_eq!(settings.plan_instructions, "be brief");
        assert_eq!(settings.agent(), "planner");
        assert_eq!(settings.models(), [Some("p"), Some("m"), Some("e")]);
    }

    #[test]
    fn one_shot_has_one_agent() {
        let config = json!({"agent": "engineer", "maxPlanSteps": "of another mode"});
        let settings = Settings::parse(Mode::OneShot, &config).unwrap();
        assert_eq!(settings.agent(), "engineer");
        assert_eq!(settings.models(), [None]);
        assert_eq!(Settings::defaults(Mode::OneShot).agent(), "researcher");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (config, sentence) in [
            (json!([]), "config must be a JSON object."),
            (json!({"model": 4}), "config.model must be a string."),
            (
                json!({"model": " "}),
                "config.model must be a string that is not empty.",
            ),
            (
                json!({"maxAttempts": 0}),
                "config.maxAttempts must be a whole number from 1 to 10.",
            ),
            (
                json!({"maxAttempts": "3"}),
                "config.maxAttempts must be a whole number from 1 to 10.",
            ),
            (
                json!({"maxRounds": 101}),
                "config.maxRounds must be a whole number from 1 to 100.",
            ),
            (
                json!({"maxCostUsd": 0}),
                "config.maxCostUsd must be a number above 0.",
            ),
            (
                json!({"maxPlanSteps": 50.5}),
                "config.maxPlanSteps must be a whole number from 1 to 50.",
            ),
            (
                json!({"nPlanReviews": -1}),
                "config.nPlanReviews must be a whole number from 0 to 5.",
            ),
            (
                json!({"planInstructions": []}),
                "config.planInstructions must be a string.",
            ),
            (
                json!({"plannerModel": true}),
                "config.plannerModel must be a string.",
            ),
            (
                json!({"approvalMode": "sometimes"}),
                "config.approvalMode must be one of none, after_planning, before_step, after_step, both, on_error.",
            ),
        ] {
            assert_eq!(problem(Mode::PlanningControl, &config), sentence);
        }
        let sentence = "config.agent must be one of researcher, engineer.";
        assert_eq!(
            problem(Mode::OneShot, &json!({"agent": "planner"})),
            sentence
        );
    }

    #[test]
    fn a_mode_that_is_not_built_yet_refuses_a_key_of_the_wrong_type() {
        for (mode, config) in [
            (Mode::Copilot, json!({"conversational": "yes"})),
            (Mode::Copilot, json!({"plannerModel": 1})),
            (Mode::HitlInteractive, json!({"maxPlanSteps": 51})),
            (Mode::HitlInteractive, json!({"hitlVariant": "half"})),
            (Mode::IdeaGeneration, json!({"planInstructions": false})),
            (Mode::IdeaGeneration, json!({"ideaMakerModel": ""})),
            (Mode::Ocr, json!({"document": 7})),
            (Mode::Arxiv, json!({"maxAttempts": 11})),
            (Mode::EnhanceInput, json!({"model": []})),
        ] {
            let error = Settings::parse(mode, &config).unwrap_err();
            assert!(matches!(error, SettingsError::Invalid { .. }), "{config}");
        }
        let config = json!({"approvalMode": "after_ideas", "nPlanReviews": 0});
        assert!(Settings::parse(Mode::IdeaGeneration, &config).is_ok());
    }

    #[test]
    fn a_client_that_wants_to_be_asked_is_not_passed_over() {
        assert_eq!(
            problem(
                Mode::PlanningControl,
                &json!({"approvalMode": "before_step"})
            ),
            "config.approvalMode = before_step is not available yet; use none."
        );
    }
}
