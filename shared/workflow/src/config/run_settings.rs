//! A run's configuration, parsed into types: the keys of the contract's section 5, with their defaults and ranges.
//!
//! Where a person is asked is in `checkpoint`, what is read and written in `ocr`. Unknown keys are ignored.

use std::collections::BTreeMap;

use serde_json::Value;
use session::{Mode, RunFailure};

use super::{CheckpointSettings, OcrSettings, fields::Keys, ocr::no_document};
use crate::modes::{ModeSpec, agent};

/// The key of `agent` → the key that overrides its model, in every mode with a plan.
const PLANNING_MODELS: [(&str, &str); 2] = [
    (agent::PLANNER, "plannerModel"),
    (agent::PLAN_REVIEWER, "planReviewerModel"),
];

/// The same for the agents that do the steps.
const STEP_MODELS: [(&str, &str); 4] = [
    (agent::RESEARCHER, "researcherModel"),
    (agent::ENGINEER, "engineerModel"),
    (agent::IDEA_MAKER, "ideaMakerModel"),
    (agent::IDEA_HATER, "ideaHaterModel"),
];

/// What a client may choose about a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSettings {
    /// The session's mode.
    pub mode: Mode,
    /// How often an agent is asked again, in all, before its step fails (`maxAttempts`).
    pub max_attempts: u32,
    /// How often copilot may decide about one turn (`maxRounds`): a question or a proposal makes it decide again.
    pub max_rounds: u32,
    /// US dollars at which a run makes no further call without a person's consent (`maxCostUsd`).
    pub max_cost_usd: Option<f64>,
    /// The most steps that a plan may have (`maxPlanSteps`).
    pub max_plan_steps: u32,
    /// How often a plan is reviewed and revised (`nPlanReviews`).
    pub plan_reviews: u32,
    /// What planner and reviewer are told beside the task (`planInstructions`).
    pub plan_instructions: String,
    /// Where a person is asked, and what they may answer.
    pub asked: CheckpointSettings,
    /// What a run of `ocr` reads and writes.
    pub ocr: OcrSettings,
    agent: &'static str,
    model: Option<String>,
    models: BTreeMap<&'static str, String>,
}

/// A configuration that cannot be used. Its text is a sentence for the client and names the key, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunSettingsError {
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
    /// A model that this deployment cannot use; the sentence says why.
    #[error("{0}")]
    Model(String),
}

impl RunSettingsError {
    /// How a run fails whose stored configuration cannot be used.
    pub fn as_failure(&self) -> RunFailure {
        RunFailure {
            error: self.to_string(),
            code: "invalid_config".into(),
            error_type: "InvalidConfig".into(),
        }
    }
}

impl RunSettings {
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
            asked: CheckpointSettings::by_default(mode),
            ocr: OcrSettings::DEFAULT,
            agent: ModeSpec::of(mode).agent,
            model: None,
            models: BTreeMap::new(),
        }
    }

    /// Reads a configuration; an absent or null key, or a null for the whole, takes the default.
    ///
    /// # Errors
    /// [`RunSettingsError`] for the first key that does not fit.
    pub fn parse(mode: Mode, config: &Value) -> Result<Self, RunSettingsError> {
        Self::read(mode, &Keys::of(config)?)
    }

    /// Every key that means something to a run of this mode.
    pub fn keys(mode: Mode) -> Vec<&'static str> {
        let Ok(keys) = Keys::of(&Value::Null) else {
            return Vec::new();
        };
        let _defaults = Self::read(mode, &keys);
        keys.looked_for()
    }

    fn read(mode: Mode, keys: &Keys) -> Result<Self, RunSettingsError> {
        let mut settings = Self::defaults(mode);
        settings.read_common(keys)?;
        match mode {
            Mode::OneShot => settings.read_one_shot(keys)?,
            Mode::PlanningControl
            | Mode::IdeaGeneration
            | Mode::HitlInteractive
            | Mode::Copilot => settings.read_planning(keys)?,
            Mode::Ocr => settings.ocr = OcrSettings::read(keys)?,
            Mode::Arxiv | Mode::EnhanceInput => {}
        }
        Ok(settings)
    }

    /// Whether a run can start with it: `ocr` needs something to read, and its session may be older than that.
    ///
    /// # Errors
    /// [`RunSettingsError`], which names what is missing.
    pub fn check_start(&self) -> Result<(), RunSettingsError> {
        match (self.mode, &self.ocr.document) {
            (Mode::Ocr, None) => Err(no_document()),
            _ => Ok(()),
        }
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

    /// The fewest steps that a plan may have: where a person chooses an idea, there is one before it is worked out.
    pub(crate) const fn min_plan_steps(&self) -> usize {
        if self.asked.after_ideas { 2 } else { 1 }
    }

    /// The model of each agent that the run may ask: with `maxCostUsd`, each must have a price.
    pub fn models(&self) -> Vec<Option<&str>> {
        let path = ModeSpec::of(self.mode);
        let mut agents = vec![self.agent];
        if !path.team.is_empty() {
            agents.push(agent::PLANNER);
            agents.extend((self.plan_reviews > 0).then_some(agent::PLAN_REVIEWER));
            agents.extend(path.team);
        }
        agents.iter().map(|agent| self.model(agent)).collect()
    }

    fn read_common(&mut self, keys: &Keys) -> Result<(), RunSettingsError> {
        self.model = keys.name("model")?;
        self.max_attempts = keys.whole("maxAttempts", self.max_attempts, 1..=10)?;
        self.max_rounds = keys.whole("maxRounds", self.max_rounds, 1..=100)?;
        self.max_cost_usd = keys.amount("maxCostUsd")?;
        Ok(())
    }

    fn read_one_shot(&mut self, keys: &Keys) -> Result<(), RunSettingsError> {
        if let Some(agent) = keys.one_of("agent", &agent::WORKERS)? {
            self.agent = agent;
        }
        Ok(())
    }

    fn read_planning(&mut self, keys: &Keys) -> Result<(), RunSettingsError> {
        let team = ModeSpec::of(self.mode).team;
        let of_steps = STEP_MODELS.iter().filter(|(agent, _)| team.contains(agent));
        for (agent, key) in PLANNING_MODELS.iter().chain(of_steps) {
            if let Some(model) = keys.name(key)? {
                self.models.insert(agent, model);
            }
        }
        self.max_plan_steps = keys.whole("maxPlanSteps", self.max_plan_steps, 1..=50)?;
        self.plan_reviews = keys.whole("nPlanReviews", self.plan_reviews, 0..=5)?;
        self.plan_instructions = keys.text("planInstructions")?.unwrap_or_default().into();
        self.asked = CheckpointSettings::read(self.mode, keys)?;
        if self.asked.after_ideas && self.max_plan_steps < 2 {
            return Err(RunSettingsError::Invalid {
                key: "maxPlanSteps",
                must_be: "at least 2 with the approvalMode after_ideas".into(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(mode: Mode, config: &Value) -> String {
        RunSettings::parse(mode, config).unwrap_err().to_string()
    }

    #[test]
    fn absent_null_and_unknown_keys_leave_the_defaults() {
        for config in [
            Value::Null,
            json!({}),
            json!({"maxAttempts": null, "approvalMode": null, "sessionName": 7}),
        ] {
            let settings = RunSettings::parse(Mode::PlanningControl, &config).unwrap();
            assert_eq!(settings, RunSettings::defaults(Mode::PlanningControl));
        }
    }

    #[test]
    fn every_key_is_read() {
        let config = json!({
            "model": "m", "maxAttempts": 10, "maxRounds": 100, "maxCostUsd": 0.5, "maxPlanSteps": 50,
            "nPlanReviews": 0.0, "planInstructions": "be brief", "plannerModel": " p ",
            "engineerModel": "e", "approvalMode": "none",
        });
        let settings = RunSettings::parse(Mode::PlanningControl, &config).unwrap();
        assert_eq!(settings.max_attempts, 10);
        assert_eq!(settings.max_rounds, 100);
        assert_eq!(settings.max_cost_usd, Some(0.5));
        assert_eq!(settings.max_plan_steps, 50);
        assert_eq!(settings.plan_reviews, 0);
        assert_eq!(settings.plan_instructions, "be brief");
        assert_eq!(settings.agent(), "planner");
        assert_eq!(
            settings.models(),
            [Some("p"), Some("p"), Some("m"), Some("e")]
        );
    }

    #[test]
    fn one_shot_has_one_agent() {
        let config = json!({"agent": "engineer", "maxPlanSteps": "of another mode"});
        let settings = RunSettings::parse(Mode::OneShot, &config).unwrap();
        assert_eq!(settings.agent(), "engineer");
        assert_eq!(settings.models(), [None]);
        assert_eq!(RunSettings::defaults(Mode::OneShot).agent(), "researcher");
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
    fn every_mode_refuses_a_key_of_the_wrong_type() {
        for (mode, config) in [
            (Mode::Copilot, json!({"conversational": "yes"})),
            (Mode::Copilot, json!({"plannerModel": 1})),
            (Mode::HitlInteractive, json!({"maxPlanSteps": 51})),
            (Mode::HitlInteractive, json!({"hitlVariant": "half"})),
            (Mode::HitlInteractive, json!({"approvalMode": "none"})),
            (Mode::HitlInteractive, json!({"maxHumanIterations": -1})),
            (Mode::HitlInteractive, json!({"allowStepSkip": 1})),
            (Mode::IdeaGeneration, json!({"planInstructions": false})),
            (Mode::IdeaGeneration, json!({"ideaMakerModel": ""})),
            (
                Mode::IdeaGeneration,
                json!({"approvalMode": "after_ideas", "maxPlanSteps": 1}),
            ),
            (Mode::Ocr, json!({"document": 7})),
            (Mode::Ocr, json!({"document": "../another.pdf"})),
            (Mode::Ocr, json!({"saveText": "yes"})),
            (Mode::Arxiv, json!({"maxAttempts": 11})),
            (Mode::EnhanceInput, json!({"model": []})),
        ] {
            let error = RunSettings::parse(mode, &config).unwrap_err();
            assert!(
                matches!(error, RunSettingsError::Invalid { .. }),
                "{config}"
            );
        }
        let of_another_mode = json!({"saveJson": "yes", "conversational": 1});
        assert!(RunSettings::parse(Mode::Arxiv, &of_another_mode).is_ok());
    }

    #[test]
    fn a_run_of_ocr_starts_with_a_document_and_its_session_without() {
        let config = json!({"document": "scan.pdf", "saveText": true});
        let settings = RunSettings::parse(Mode::Ocr, &config).unwrap();
        assert_eq!(settings.check_start(), Ok(()));
        assert!(settings.ocr.save_markdown && settings.ocr.save_json && settings.ocr.save_text);
        let sentence = RunSettings::defaults(Mode::Ocr)
            .check_start()
            .unwrap_err()
            .to_string();
        assert!(sentence.starts_with("config.document must be the name of an upload"));
        assert_eq!(RunSettings::defaults(Mode::Arxiv).check_start(), Ok(()));
    }

    #[test]
    fn a_mode_tells_its_keys() {
        assert_eq!(
            RunSettings::keys(Mode::OneShot),
            ["model", "maxAttempts", "maxRounds", "maxCostUsd", "agent"]
        );
        assert!(RunSettings::keys(Mode::Copilot).contains(&"conversational"));
        assert!(!RunSettings::keys(Mode::Copilot).contains(&"approvalMode"));
    }
}
