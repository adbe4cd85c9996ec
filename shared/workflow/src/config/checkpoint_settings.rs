//! The checkpoints that a configuration switches on.

use session::Mode;

use super::{ApprovalMode, HitlVariant, RunConfig, RunSettingsError, fields::one_of};

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
        let steps = Self::by_approval_mode(approval_mode(mode, config.approval_mode)?);
        let on = match (mode, config.hitl_variant) {
            (Mode::HitlInteractive, HitlVariant::PlanningOnly) => {
                Self::by_approval_mode(ApprovalMode::AfterPlanning)
            }
            (Mode::HitlInteractive, HitlVariant::ErrorRecovery) => {
                Self::by_approval_mode(ApprovalMode::OnError)
            }
            (Mode::HitlInteractive, HitlVariant::FullInteractive) => Self {
                during_planning: true,
                on_error: true,
                ..steps
            },
            _ => steps,
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

    fn by_approval_mode(mode: ApprovalMode) -> Self {
        let both = mode == ApprovalMode::Both;
        Self {
            during_planning: mode == ApprovalMode::AfterPlanning,
            before_step: both || mode == ApprovalMode::BeforeStep,
            after_step: both || mode == ApprovalMode::AfterStep,
            on_error: mode == ApprovalMode::OnError,
            after_ideas: mode == ApprovalMode::AfterIdeas,
            ..Self::NONE
        }
    }
}

/// The approval mode of a run: one that its session's mode has.
fn approval_mode(
    mode: Mode,
    given: Option<ApprovalMode>,
) -> Result<ApprovalMode, RunSettingsError> {
    let default = match mode {
        Mode::HitlInteractive => ApprovalMode::Both,
        _ => ApprovalMode::None,
    };
    let chosen = given.unwrap_or(default);
    match approval_modes(mode).any(|fitting| fitting == chosen) {
        true => Ok(chosen),
        false => Err(RunSettingsError::invalid(
            "approvalMode",
            must_be_an_approval_mode(mode),
        )),
    }
}

fn approval_modes(mode: Mode) -> impl Iterator<Item = ApprovalMode> {
    use ApprovalMode::{AfterIdeas, AfterPlanning, None};
    let excluded: &[ApprovalMode] = match mode {
        Mode::HitlInteractive => &[None, AfterPlanning, AfterIdeas],
        Mode::IdeaGeneration => &[],
        _ => &[AfterIdeas],
    };
    let all = ApprovalMode::ALL.iter().copied();
    all.filter(|mode| !excluded.contains(mode))
}

/// What `approvalMode` must be in a mode.
pub(super) fn must_be_an_approval_mode(mode: Mode) -> String {
    one_of(approval_modes(mode).map(ApprovalMode::as_str))
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
            assert_eq!(switched_on(mode, &config), expected, "{mode} {config}");
        }
        assert_eq!(
            RunSettings::defaults(HitlInteractive),
            RunSettings::parse(HitlInteractive, &json!({})).unwrap()
        );
    }
}
