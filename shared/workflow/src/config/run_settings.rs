//! The settings of a run in one mode, made from its [`RunConfig`].

use std::collections::BTreeMap;

use serde_json::Value;
use session::{Mode, RunFailure};

use super::{CheckpointSettings, OcrSettings, RunConfig, ocr::NO_DOCUMENT};
use crate::modes::{ModeSpec, agent};

/// The settings of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSettings {
    /// The session's mode.
    pub mode: Mode,
    /// How often a stage is tried before it fails (`maxAttempts`).
    pub max_attempts: u32,
    /// How often copilot may decide about one turn (`maxRounds`): a clarification or a proposal
    /// makes it decide again.
    pub max_rounds: u32,
    /// US dollars at which a run makes no further call without an approval (`maxCostUsd`).
    pub max_cost_usd: Option<f64>,
    /// What the deployment lets the run cost, whatever `maxCostUsd` is.
    pub caps: CostCaps,
    /// The most steps that a plan may have (`maxPlanSteps`).
    pub max_plan_steps: u32,
    /// How often a plan is reviewed and revised (`nPlanReviews`).
    pub plan_reviews: u32,
    /// Instructions to planner and reviewer (`planInstructions`).
    pub plan_instructions: String,
    /// The checkpoints that are on, and their options.
    pub checkpoints: CheckpointSettings,
    /// The document and the artifacts of a run of `ocr`.
    pub ocr: OcrSettings,
    agent: &'static str,
    model: Option<String>,
    models: BTreeMap<&'static str, String>,
}

/// The costs in US dollars at which a run makes no further call, by the deployment's own limits. No
/// answer raises them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CostCaps {
    /// Of each run.
    pub per_run: Option<f64>,
    /// Where what its owner may spend today is spent, together with the owner's other runs.
    pub today: Option<f64>,
}

/// A configuration that cannot be used. Its text is a sentence for the client, which names the key
/// and never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunSettingsError {
    /// Not an object.
    #[error("config must be a JSON object.")]
    WholeConfig,
    /// A key of the wrong type or out of its range.
    #[error("config.{key} must be {must_be}.")]
    Invalid {
        /// The key.
        key: String,
        /// The requirement.
        must_be: String,
    },
    /// A model that this deployment cannot use, and the reason.
    #[error("{0}")]
    Model(String),
}

impl RunSettingsError {
    pub(super) fn invalid(key: impl Into<String>, must_be: impl Into<String>) -> Self {
        Self::Invalid {
            key: key.into(),
            must_be: must_be.into(),
        }
    }

    /// The failure of a run whose stored configuration cannot be used.
    pub fn as_failure(&self) -> RunFailure {
        RunFailure {
            error: self.to_string(),
            code: "invalid_config".into(),
            error_type: "InvalidConfig".into(),
        }
    }
}

impl RunSettings {
    /// The settings of a run of this mode whose client chooses nothing.
    pub fn defaults(mode: Mode) -> Self {
        Self::of(mode, RunConfig::default()).expect("the defaults fit every mode")
    }

    /// Reads a configuration; an absent or null key, or a null for the whole, takes the default.
    ///
    /// # Errors
    /// [`RunSettingsError`] for the first invalid key.
    pub fn parse(mode: Mode, config: &Value) -> Result<Self, RunSettingsError> {
        Self::of(mode, RunConfig::read(mode, config)?)
    }

    /// Every key that counts in this mode.
    pub fn keys(mode: Mode) -> Vec<&'static str> {
        ModeSpec::of(mode).config_keys().collect()
    }

    /// The settings from a configuration in which the keys of other modes have their defaults.
    fn of(mode: Mode, config: RunConfig) -> Result<Self, RunSettingsError> {
        let checkpoints = CheckpointSettings::of(mode, &config)?;
        if checkpoints.after_ideas && config.max_plan_steps.0 < 2 {
            return Err(RunSettingsError::invalid(
                "maxPlanSteps",
                "at least 2 with the checkpoints after_ideas",
            ));
        }
        let models = [
            (agent::PLANNER, config.planner_model),
            (agent::PLAN_REVIEWER, config.plan_reviewer_model),
            (agent::RESEARCHER, config.researcher_model),
            (agent::ENGINEER, config.engineer_model),
            (agent::IDEA_MAKER, config.idea_maker_model),
            (agent::IDEA_HATER, config.idea_hater_model),
        ];
        Ok(Self {
            mode,
            max_attempts: config.max_attempts.0,
            max_rounds: config.max_rounds.0,
            max_cost_usd: config.max_cost_usd.map(|amount| amount.0),
            caps: CostCaps::default(),
            max_plan_steps: config.max_plan_steps.0,
            plan_reviews: config.n_plan_reviews.0,
            plan_instructions: config.plan_instructions,
            checkpoints,
            ocr: OcrSettings {
                document: config.document,
                save_markdown: config.save_markdown,
                save_json: config.save_json,
                save_text: config.save_text,
            },
            agent: match mode {
                Mode::OneShot => config.agent.as_str(),
                _ => ModeSpec::of(mode).agent,
            },
            model: config.model.map(|name| name.0),
            models: models
                .into_iter()
                .filter_map(|(agent, model)| Some((agent, model?.0)))
                .collect(),
        })
    }

    /// Whether a run can start: a run of `ocr` needs a document, which its session need not have.
    ///
    /// # Errors
    /// [`RunSettingsError`], which names the missing key.
    pub fn check_start(&self) -> Result<(), RunSettingsError> {
        match (self.mode, &self.ocr.document) {
            (Mode::Ocr, None) => Err(RunSettingsError::invalid("document", NO_DOCUMENT)),
            _ => Ok(()),
        }
    }

    /// The agent that a list of runs shows.
    pub const fn agent(&self) -> &'static str {
        self.agent
    }

    /// The model chosen for an agent; `None` for the deployment's default.
    pub fn model(&self, agent: &str) -> Option<&str> {
        self.models
            .get(agent)
            .or(self.model.as_ref())
            .map(String::as_str)
    }

    /// The fewest steps of a plan: `after_ideas` stands between two steps.
    pub(crate) const fn min_plan_steps(&self) -> usize {
        if self.checkpoints.after_ideas { 2 } else { 1 }
    }

    /// The model of each agent that the run may ask, behind the key that names it. Where costs are
    /// limited, each must have a price.
    pub fn models(&self) -> Vec<(String, Option<&str>)> {
        let path = ModeSpec::of(self.mode);
        let mut agents = vec![self.agent];
        if !path.team.is_empty() {
            agents.push(agent::PLANNER);
            agents.extend((self.plan_reviews > 0).then_some(agent::PLAN_REVIEWER));
            agents.extend(path.team);
        }
        let named = agents.iter().map(|agent| match self.models.get(agent) {
            Some(own) => (format!("{}Model", camel_case(agent)), Some(own.as_str())),
            None => ("model".to_owned(), self.model.as_deref()),
        });
        named.collect()
    }
}

/// `plan_reviewer` → `planReviewer`.
fn camel_case(agent: &str) -> String {
    let mut words = agent.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, rest) = word.split_at(word.len().min(1));
        name + &head.to_ascii_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(mode: Mode, config: &Value) -> String {
        RunSettings::parse(mode, config).unwrap_err().to_string()
    }

    #[test]
    fn absent_null_and_unknown_keys_keep_the_defaults() {
        for config in [
            Value::Null,
            json!({}),
            json!({"maxAttempts": null, "checkpoints": null, "sessionName": 7}),
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
            "engineerModel": "e", "checkpoints": "none",
        });
        let settings = RunSettings::parse(Mode::PlanningControl, &config).unwrap();
        assert_eq!(settings.max_attempts, 10);
        assert_eq!(settings.max_rounds, 100);
        assert_eq!(settings.max_cost_usd, Some(0.5));
        assert_eq!(settings.max_plan_steps, 50);
        assert_eq!(settings.plan_reviews, 0);
        assert_eq!(settings.plan_instructions, "be brief");
        assert_eq!(settings.agent(), "planner");
        let models = settings.models();
        let models: Vec<_> = models
            .iter()
            .map(|(key, model)| (key.as_str(), model.unwrap()))
            .collect();
        let expected = [
            ("plannerModel", "p"),
            ("plannerModel", "p"),
            ("model", "m"),
            ("engineerModel", "e"),
        ];
        assert_eq!(models, expected);
        let reviewed = json!({"planReviewerModel": "r"});
        let reviewed = RunSettings::parse(Mode::PlanningControl, &reviewed).unwrap();
        assert_eq!(
            reviewed.models()[2],
            ("planReviewerModel".to_owned(), Some("r"))
        );
    }

    #[test]
    fn one_shot_has_one_agent() {
        let config = json!({"agent": "engineer", "maxPlanSteps": "of another mode"});
        let settings = RunSettings::parse(Mode::OneShot, &config).unwrap();
        assert_eq!(settings.agent(), "engineer");
        assert_eq!(settings.models(), [("model".to_owned(), None)]);
        assert_eq!(RunSettings::defaults(Mode::OneShot).agent(), "researcher");
    }

    #[test]
    fn an_invalid_key_is_named() {
        for (config, sentence) in [
            (json!([]), "config must be a JSON object."),
            (json!({"model": 4}), "config.model must be a string."),
            (
                json!({"model": " "}),
                "config.model must be a name of 1 to 256 visible characters.",
            ),
            (
                json!({"model": "gpt\u{202e}5"}),
                "config.model must be a name of 1 to 256 visible characters.",
            ),
            (
                json!({"model": "m".repeat(257)}),
                "config.model must be a name of 1 to 256 visible characters.",
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
                json!({"checkpoints": "sometimes"}),
                "config.checkpoints must be one of none, after_planning, before_step, after_step, both, on_error.",
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
                json!({"checkpoints": "after_ideas", "maxPlanSteps": 1}),
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
        for mode in [Mode::PlanningControl, Mode::IdeaGeneration, Mode::Copilot] {
            for value in [
                json!("both"),
                json!("after_planning"),
                json!("sometimes"),
                json!(7),
            ] {
                let config = json!({"approvalMode": value});
                let settings = RunSettings::parse(mode, &config).unwrap();
                assert_eq!(settings, RunSettings::defaults(mode), "{mode} {value}");
            }
        }
        let config = json!({"checkpoints": ["of another mode"]});
        let settings = RunSettings::parse(Mode::HitlInteractive, &config).unwrap();
        assert_eq!(settings, RunSettings::defaults(Mode::HitlInteractive));
    }

    #[test]
    fn a_run_of_ocr_requires_a_document_and_its_session_does_not() {
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
    fn a_mode_lists_its_keys() {
        assert_eq!(
            RunSettings::keys(Mode::OneShot),
            ["model", "maxAttempts", "maxRounds", "maxCostUsd", "agent"]
        );
        assert!(RunSettings::keys(Mode::Copilot).contains(&"conversational"));
        let modes = session::MODES.iter().map(|info| info.id);
        let with = |key| {
            modes
                .clone()
                .filter(move |mode| RunSettings::keys(*mode).contains(&key))
        };
        assert!(with("approvalMode").eq([Mode::HitlInteractive]));
        assert!(with("checkpoints").eq([Mode::PlanningControl, Mode::IdeaGeneration]));
    }
}
