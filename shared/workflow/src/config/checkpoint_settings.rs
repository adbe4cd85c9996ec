//! Which checkpoints a client's configuration switches on.

use session::Mode;

use super::{RunSettingsError, fields::Keys};

/// Where a person is asked about a plan and its steps, and what they may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CheckpointSettings {
    /// About the plan.
    pub during_planning: bool,
    /// Before each step.
    pub before_step: bool,
    /// After each step.
    pub after_step: bool,
    /// When a step fails.
    pub on_error: bool,
    /// Which idea is worked out (idea-generation).
    pub after_ideas: bool,
    /// At the end of a turn (`conversational`, copilot).
    pub copilot_turn: bool,
    /// How often the plan may be sent back (`maxHumanIterations`).
    pub max_revisions: u32,
    /// Whether a person may replace the plan (`allowPlanModification`).
    pub may_modify: bool,
    /// Whether a person may leave a step out (`allowStepSkip`).
    pub may_skip: bool,
    /// Whether a person may have a step done again (`allowStepRetry`).
    pub may_retry: bool,
}

impl CheckpointSettings {
    /// Nobody is asked; who is asked all the same has every option.
    pub(crate) const NEVER: Self = Self {
        during_planning: false,
        before_step: false,
        after_step: false,
        on_error: false,
        after_ideas: false,
        copilot_turn: false,
        max_revisions: 3,
        may_modify: true,
        may_skip: true,
        may_retry: true,
    };

    /// What a mode has when its client chooses nothing.
    pub(crate) fn by_default(mode: Mode) -> Self {
        match mode {
            Mode::HitlInteractive => Self {
                during_planning: true,
                on_error: true,
                ..Self::NEVER.when("both")
            },
            _ => Self::NEVER,
        }
    }

    /// Reads the keys of a mode with a plan.
    pub(crate) fn read(mode: Mode, keys: &Keys) -> Result<Self, RunSettingsError> {
        let asked = match mode {
            Mode::PlanningControl => Self::NEVER.when(chosen(keys, &PLAN)?),
            Mode::IdeaGeneration => Self::NEVER.when(chosen(keys, &IDEAS)?),
            Mode::HitlInteractive => Self::read_variant(keys)?,
            Mode::Copilot => {
                return Ok(Self {
                    copilot_turn: keys.flag("conversational")?.unwrap_or(false),
                    ..Self::NEVER
                });
            }
            _ => return Ok(Self::NEVER),
        };
        Ok(Self {
            max_revisions: keys.whole("maxHumanIterations", asked.max_revisions, 0..=20)?,
            may_modify: keys.flag("allowPlanModification")?.unwrap_or(true),
            may_skip: keys.flag("allowStepSkip")?.unwrap_or(true),
            may_retry: keys.flag("allowStepRetry")?.unwrap_or(true),
            ..asked
        })
    }

    fn read_variant(keys: &Keys) -> Result<Self, RunSettingsError> {
        let steps = Self::NEVER.when(chosen(keys, &HITL)?);
        Ok(match keys.one_of("hitlVariant", &VARIANTS)? {
            Some("planning_only") => Self::NEVER.when("after_planning"),
            Some("error_recovery") => Self::NEVER.when("on_error"),
            _ => Self {
                during_planning: true,
                on_error: true,
                ..steps
            },
        })
    }

    fn when(self, approval_mode: &str) -> Self {
        let both = approval_mode == "both";
        Self {
            during_planning: approval_mode == "after_planning",
            before_step: both || approval_mode == "before_step",
            after_step: both || approval_mode == "after_step",
            on_error: approval_mode == "on_error",
            after_ideas: approval_mode == "after_ideas",
            ..self
        }
    }
}

const VARIANTS: [&str; 3] = ["full_interactive", "planning_only", "error_recovery"];

/// The words of `approvalMode`, the default first.
const PLAN: [&str; 6] = [
    "none",
    "after_planning",
    "before_step",
    "after_step",
    "both",
    "on_error",
];
const IDEAS: [&str; 7] = [
    "none",
    "after_planning",
    "after_ideas",
    "before_step",
    "after_step",
    "both",
    "on_error",
];
const HITL: [&str; 4] = ["both", "before_step", "after_step", "on_error"];

fn chosen(keys: &Keys, words: &[&'static str]) -> Result<&'static str, RunSettingsError> {
    Ok(keys.one_of("approvalMode", words)?.unwrap_or(words[0]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Checkpoint, RunSettings};

    /// The checkpoints that a configuration switches on, in a line.
    fn asked(mode: Mode, config: &Value) -> String {
        let asked = RunSettings::parse(mode, config).unwrap().asked;
        let all = [
            (asked.during_planning, Checkpoint::DuringPlanning),
            (asked.before_step, Checkpoint::BeforeStep),
            (asked.after_step, Checkpoint::AfterStep),
            (asked.on_error, Checkpoint::OnError),
            (asked.after_ideas, Checkpoint::AfterIdeas),
            (asked.copilot_turn, Checkpoint::CopilotTurn),
        ];
        let on = all.iter().filter(|(on, _)| *on);
        on.map(|(_, kind)| kind.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_configuration_says_where_a_person_is_asked() {
        use Mode::{Copilot, HitlInteractive, IdeaGeneration, PlanningControl};
        for (mode, config, expected) in [
            (PlanningControl, json!({}), ""),
            (
                PlanningControl,
                json!({"approvalMode": "after_planning"}),
                "during_planning",
            ),
            (
                PlanningControl,
                json!({"approvalMode": "both"}),
                "before_step after_step",
            ),
            (
                PlanningControl,
                json!({"approvalMode": "on_error"}),
                "on_error",
            ),
            (
                IdeaGeneration,
                json!({"approvalMode": "after_ideas"}),
                "after_ideas",
            ),
            (
                HitlInteractive,
                json!({}),
                "during_planning before_step after_step on_error",
            ),
            (
                HitlInteractive,
                json!({"approvalMode": "before_step"}),
                "during_planning before_step on_error",
            ),
            (
                HitlInteractive,
                json!({"approvalMode": "on_error"}),
                "during_planning on_error",
            ),
            (
                HitlInteractive,
                json!({"hitlVariant": "planning_only"}),
                "during_planning",
            ),
            (
                HitlInteractive,
                json!({"hitlVariant": "error_recovery", "approvalMode": "both"}),
                "on_error",
            ),
            (Copilot, json!({}), ""),
            (Copilot, json!({"conversational": true}), "copilot_turn"),
        ] {
            assert_eq!(asked(mode, &config), expected, "{mode} {config}");
        }
        assert_eq!(
            RunSettings::defaults(HitlInteractive),
            RunSettings::parse(HitlInteractive, &json!({})).unwrap()
        );
    }
}
