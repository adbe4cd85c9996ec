//! The checkpoints that a configuration switches on.

use session::Mode;

use super::{
    ApprovalMode, CheckpointChoice, HitlVariant, RunConfig, RunSettingsError, fields::one_of,
};

/// The checkpoints of a run, and the options at each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CheckpointSettings {
    /// After the planning.
    pub during_planning: bool,
    /// Before each step.
    pub before_step: bool,
    /// After each step.
    pub after_step: bool,
    /// When a step fails.
    pub on_error: bool,
    /// Before an idea is worked out (`idea-generation`).
    pub after_ideas: bool,
    /// At the end of a turn (`conversational`, copilot).
    pub copilot_turn: bool,
    /// How often the plan may be sent back (`maxHumanIterations`).
    pub max_revisions: u32,
    /// Whether `modify` is an option (`allowPlanModification`).
    pub may_modify: bool,
    /// Whether `skip` is an option (`allowStepSkip`).
    pub may_skip: bool,
    /// Whether `retry` and `redo` are options (`allowStepRetry`).
    pub may_retry: bool,
}

impl CheckpointSettings {
    /// No checkpoint, every option.
    const NONE: Self = Self {
        during_planning: false,
        before_step: false,
        after_step: false,
        on_error: false,
        after_ideas: false,
        copilot_turn: false,
        max_revisions: 0,
        may_modify: true,
        may_skip: true,
        may_retry: true,
    };

    /// The checkpoints of a mode by its configuration.
    pub(super) fn of(mode: Mode, config: &RunConfig) -> Result<Self, RunSettingsError> {
        let on = match (mode, config.hitl_variant) {
            (Mode::HitlInteractive, HitlVariant::PlanningOnly) => {
                Self::chosen(CheckpointChoice::AfterPlanning)
            }
            (Mode::HitlInteractive, HitlVariant::ErrorRecovery) => {
                Self::chosen(CheckpointChoice::OnError)
            }
            (Mode::HitlInteractive, HitlVariant::FullInteractive) => Self {
                during_planning: true,
                on_error: true,
                ..Self::chosen(config.approval_mode.into())
            },
            _ => Self::chosen(fitting(mode, config.checkpoints)?),
        };
        Ok(Self {
            copilot_turn: config.conversational,
            max_revisions: config.max_human_iterations.0,
            may_modify: config.allow_plan_modification,
            may_skip: config.allow_step_skip,
            may_retry: config.allow_step_retry,
            ..on
        })
    }

    fn chosen(choice: CheckpointChoice) -> Self {
        let both = choice == CheckpointChoice::Both;
        Self {
            during_planning: choice == CheckpointChoice::AfterPlanning,
            before_step: both || choice == CheckpointChoice::BeforeStep,
            after_step: both || choice == CheckpointChoice::AfterStep,
            on_error: choice == CheckpointChoice::OnError,
            after_ideas: choice == CheckpointChoice::AfterIdeas,
            ..Self::NONE
        }
    }
}

impl From<ApprovalMode> for CheckpointChoice {
    fn from(mode: ApprovalMode) -> Self {
        match mode {
            ApprovalMode::BeforeStep => Self::BeforeStep,
            ApprovalMode::AfterStep => Self::AfterStep,
            ApprovalMode::Both => Self::Both,
            ApprovalMode::OnError => Self::OnError,
        }
    }
}

/// The choice, if the mode has it.
fn fitting(mode: Mode, choice: CheckpointChoice) -> Result<CheckpointChoice, RunSettingsError> {
    let fits = choices(mode).any(|fitting| fitting == choice);
    fits.then_some(choice)
        .ok_or_else(|| RunSettingsError::invalid("checkpoints", must_be_a_checkpoint_choice(mode)))
}

fn choices(mode: Mode) -> impl Iterator<Item = CheckpointChoice> {
    let all = CheckpointChoice::ALL.iter().copied();
    all.filter(move |choice| {
        mode == Mode::IdeaGeneration || *choice != CheckpointChoice::AfterIdeas
    })
}

/// What `checkpoints` must be in a mode.
pub(super) fn must_be_a_checkpoint_choice(mode: Mode) -> String {
    one_of(choices(mode).map(CheckpointChoice::as_str))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Checkpoint, RunSettings};

    /// The checkpoints that a configuration switches on, in a line.
    fn switched_on(mode: Mode, config: &Value) -> String {
        let settings = RunSettings::parse(mode, config).unwrap().checkpoints;
        let all = [
            (settings.during_planning, Checkpoint::DuringPlanning),
            (settings.before_step, Checkpoint::BeforeStep),
            (settings.after_step, Checkpoint::AfterStep),
            (settings.on_error, Checkpoint::OnError),
            (settings.after_ideas, Checkpoint::AfterIdeas),
            (settings.copilot_turn, Checkpoint::CopilotTurn),
        ];
        let on = all.iter().filter(|(on, _)| *on);
        on.map(|(_, kind)| kind.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_configuration_selects_the_checkpoints() {
        use Mode::{Copilot, HitlInteractive, IdeaGeneration, PlanningControl};
        for (mode, config, expected) in [
            (PlanningControl, json!({}), ""),
            (
                PlanningControl,
                json!({"checkpoints": "after_planning"}),
                "during_planning",
            ),
            (
                PlanningControl,
                json!({"checkpoints": "both"}),
                "before_step after_step",
            ),
            (
                PlanningControl,
                json!({"checkpoints": "on_error"}),
                "on_error",
            ),
            (
                IdeaGeneration,
                json!({"checkpoints": "after_ideas"}),
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
            assert_eq!(switched_on(mode, &config), expected, "{mode} {config}");
        }
        assert_eq!(
            RunSettings::defaults(HitlInteractive),
            RunSettings::parse(HitlInteractive, &json!({})).unwrap()
        );
    }
}
