//! The eight modes as one table.

use session::{Mode, Phase, Stage};

use super::{Checkpoint, agent};

/// A mode's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeSpec {
    /// Every phase that a session of this mode shows, in order.
    pub phases: &'static [Phase],
    /// The agent that a list of runs shows, unless the configuration chooses another.
    pub agent: &'static str,
    /// The agents that a plan may give its steps to; none in a mode without a plan.
    pub team: &'static [&'static str],
    /// The checkpoints that the configuration may switch on, and those of copilot and the budget.
    pub checkpoints: &'static [Checkpoint],
    /// The config keys that count in this mode beside [`COMMON_KEYS`].
    keys: &'static [&'static [&'static str]],
    /// The first stage of a run.
    pub(crate) first: Stage,
    /// The document stages, in order.
    pub(crate) documents: &'static [Stage],
    /// The first nodes of a run's graph, in order.
    pub(crate) nodes: &'static [Node],
    /// Whether a session shows the number of its step.
    pub(crate) shows_steps: bool,
    planning: Phase,
    working: Phase,
}

/// The nodes that are not steps of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Init,
    Routing,
    Planning,
    Execute,
    Extraction,
    Download,
    Summarize,
    Output,
    Terminator,
}

/// The checkpoints of a plan and its steps.
const OF_A_PLAN: [Checkpoint; 5] = [
    Checkpoint::DuringPlanning,
    Checkpoint::BeforeStep,
    Checkpoint::AfterStep,
    Checkpoint::OnError,
    Checkpoint::Budget,
];

/// The config keys of every mode.
const COMMON_KEYS: &[&str] = &["model", "maxAttempts", "maxRounds", "maxCostUsd"];

/// The config keys of every mode with a plan.
const PLAN_KEYS: &[&str] = &[
    "plannerModel",
    "planReviewerModel",
    "maxPlanSteps",
    "nPlanReviews",
    "planInstructions",
];
const WORKER_KEYS: &[&str] = &["researcherModel", "engineerModel"];
const IDEA_KEYS: &[&str] = &["ideaMakerModel", "ideaHaterModel"];
const APPROVAL_KEYS: &[&str] = &[
    "maxHumanIterations",
    "allowPlanModification",
    "allowStepSkip",
    "allowStepRetry",
];

const ONE_SHOT: ModeSpec = ModeSpec {
    phases: &[Phase::Init, Phase::Execution, Phase::Completed],
    agent: agent::RESEARCHER,
    team: &[],
    checkpoints: &[],
    keys: &[&["agent"]],
    first: Stage::Answer,
    documents: &[],
    nodes: &[Node::Init, Node::Execute, Node::Terminator],
    shows_steps: false,
    planning: Phase::Execution,
    working: Phase::Execution,
};

const PLANNING_CONTROL: ModeSpec = ModeSpec {
    phases: &[
        Phase::Init,
        Phase::Planning,
        Phase::Control,
        Phase::Completed,
    ],
    agent: agent::PLANNER,
    team: &agent::WORKERS,
    checkpoints: &OF_A_PLAN,
    keys: &[PLAN_KEYS, WORKER_KEYS, APPROVAL_KEYS, &["checkpoints"]],
    first: Stage::Plan,
    nodes: &[Node::Planning],
    shows_steps: true,
    planning: Phase::Planning,
    working: Phase::Control,
    ..ONE_SHOT
};

const HITL_INTERACTIVE: ModeSpec = ModeSpec {
    phases: &[
        Phase::Init,
        Phase::HitlPlanning,
        Phase::HitlControl,
        Phase::Completed,
    ],
    keys: &[
        PLAN_KEYS,
        WORKER_KEYS,
        APPROVAL_KEYS,
        &["hitlVariant", "approvalMode"],
    ],
    planning: Phase::HitlPlanning,
    working: Phase::HitlControl,
    ..PLANNING_CONTROL
};

const IDEA_GENERATION: ModeSpec = ModeSpec {
    team: &agent::IDEA_TEAM,
    checkpoints: &[
        Checkpoint::DuringPlanning,
        Checkpoint::BeforeStep,
        Checkpoint::AfterStep,
        Checkpoint::OnError,
        Checkpoint::AfterIdeas,
        Checkpoint::Budget,
    ],
    keys: &[PLAN_KEYS, IDEA_KEYS, APPROVAL_KEYS, &["checkpoints"]],
    ..PLANNING_CONTROL
};

const COPILOT: ModeSpec = ModeSpec {
    phases: &[
        Phase::Init,
        Phase::Routing,
        Phase::Execution,
        Phase::Completed,
    ],
    agent: agent::COPILOT_CONTROL,
    team: &agent::WORKERS,
    checkpoints: &[
        Checkpoint::Clarification,
        Checkpoint::Proposal,
        Checkpoint::CopilotTurn,
        Checkpoint::Budget,
    ],
    keys: &[PLAN_KEYS, WORKER_KEYS, &["conversational"]],
    first: Stage::Route,
    nodes: &[Node::Init, Node::Routing, Node::Execute, Node::Terminator],
    ..ONE_SHOT
};

const OCR: ModeSpec = ModeSpec {
    phases: &[
        Phase::Init,
        Phase::Extraction,
        Phase::Output,
        Phase::Completed,
    ],
    agent: "ocr",
    keys: &[&["document", "saveMarkdown", "saveJson", "saveText"]],
    first: Stage::Extract,
    documents: &[Stage::Extract, Stage::Output],
    nodes: &[Node::Init, Node::Extraction, Node::Output, Node::Terminator],
    working: Phase::Output,
    ..ONE_SHOT
};

const ARXIV: ModeSpec = ModeSpec {
    phases: &[
        Phase::Init,
        Phase::Extraction,
        Phase::Download,
        Phase::Completed,
    ],
    agent: "arxiv",
    keys: &[],
    documents: &[Stage::Extract, Stage::Download],
    nodes: &[
        Node::Init,
        Node::Extraction,
        Node::Download,
        Node::Terminator,
    ],
    working: Phase::Download,
    ..OCR
};

const ENHANCE_INPUT: ModeSpec = ModeSpec {
    phases: &[
        Phase::Init,
        Phase::Extraction,
        Phase::Download,
        Phase::Summarize,
        Phase::Output,
        Phase::Completed,
    ],
    agent: "summarizer",
    keys: &[],
    documents: &[
        Stage::Extract,
        Stage::Download,
        Stage::Summarize,
        Stage::Output,
    ],
    nodes: &[
        Node::Init,
        Node::Extraction,
        Node::Download,
        Node::Summarize,
        Node::Output,
        Node::Terminator,
    ],
    ..OCR
};

impl ModeSpec {
    /// The row of a mode.
    pub const fn of(mode: Mode) -> &'static Self {
        match mode {
            Mode::Copilot => &COPILOT,
            Mode::PlanningControl => &PLANNING_CONTROL,
            Mode::OneShot => &ONE_SHOT,
            Mode::HitlInteractive => &HITL_INTERACTIVE,
            Mode::IdeaGeneration => &IDEA_GENERATION,
            Mode::Ocr => &OCR,
            Mode::Arxiv => &ARXIV,
            Mode::EnhanceInput => &ENHANCE_INPUT,
        }
    }

    /// Every config key that counts in this mode.
    pub fn config_keys(&self) -> impl Iterator<Item = &'static str> {
        let own = self.keys.iter().copied();
        std::iter::once(COMMON_KEYS).chain(own).flatten().copied()
    }

    /// The phase of a stage.
    pub(crate) const fn phase(&self, stage: Stage) -> Phase {
        match stage {
            Stage::Open => Phase::Init,
            Stage::Route | Stage::Clarify | Stage::Propose => Phase::Routing,
            Stage::Extract => Phase::Extraction,
            Stage::Download => Phase::Download,
            Stage::Summarize => Phase::Summarize,
            Stage::Output => Phase::Output,
            Stage::Plan | Stage::Review | Stage::Revise | Stage::ApprovePlan => self.planning,
            Stage::Answer
            | Stage::BeforeStep
            | Stage::Step
            | Stage::AfterStep
            | Stage::OnError
            | Stage::ChooseIdea
            | Stage::Turn
            | Stage::Finish => self.working,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_shows_the_phases_of_the_contract() {
        let shown: Vec<String> = session::MODES
            .iter()
            .map(|info| {
                let phases: Vec<&str> = ModeSpec::of(info.id)
                    .phases
                    .iter()
                    .map(|p| p.as_str())
                    .collect();
                format!("{}: {}", info.id, phases.join(" → "))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "copilot: init → routing → execution → completed",
                "planning-control: init → planning → control → completed",
                "one-shot: init → execution → completed",
                "hitl-interactive: init → hitl_planning → hitl_control → completed",
                "idea-generation: init → planning → control → completed",
                "ocr: init → extraction → output → completed",
                "arxiv: init → extraction → download → completed",
                "enhance-input: init → extraction → download → summarize → output → completed",
            ]
        );
    }

    #[test]
    fn the_modes_with_checkpoints_are_those_of_the_contract() {
        for info in session::MODES {
            let checkpoints = ModeSpec::of(info.id).checkpoints;
            assert_eq!(!checkpoints.is_empty(), info.supports_hitl, "{}", info.id);
        }
    }
}
