//! The eight modes as one table: where a run begins, through which phases it goes, and what its graph begins with.
//!
//! A mode without a first stage is not built yet: its run begins, and then fails and says so.

use session::{Mode, Phase, Stage};

use crate::agent;

/// A mode's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// Every phase that a session of this mode shows, in order.
    pub phases: &'static [Phase],
    /// The agent that a list of runs shows, unless the configuration chooses another.
    pub agent: &'static str,
    /// Where a run begins; none while the mode is not available.
    pub(crate) first: Option<Stage>,
    /// The nodes that a run's graph begins with, one after another.
    pub(crate) nodes: &'static [Node],
    planning: Phase,
    working: Phase,
}

/// The nodes that do not come from a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Init,
    Planning,
    Execute,
    Terminator,
}

const ONE_SHOT: Path = Path {
    phases: &[Phase::Init, Phase::Execution, Phase::Completed],
    agent: agent::RESEARCHER,
    first: Some(Stage::Answer),
    nodes: &[Node::Init, Node::Execute, Node::Terminator],
    planning: Phase::Init,
    working: Phase::Execution,
};

const PLANNING_CONTROL: Path = Path {
    phases: &[
        Phase::Init,
        Phase::Planning,
        Phase::Control,
        Phase::Completed,
    ],
    agent: agent::PLANNER,
    first: Some(Stage::Plan),
    nodes: &[Node::Planning],
    planning: Phase::Planning,
    working: Phase::Control,
};

const COPILOT: Path = not_yet(
    "copilot_control",
    &[
        Phase::Init,
        Phase::Routing,
        Phase::Execution,
        Phase::Completed,
    ],
);

const HITL_INTERACTIVE: Path = not_yet(
    agent::PLANNER,
    &[
        Phase::Init,
        Phase::HitlPlanning,
        Phase::HitlControl,
        Phase::Completed,
    ],
);

const IDEA_GENERATION: Path = not_yet(
    agent::PLANNER,
    &[
        Phase::Init,
        Phase::Planning,
        Phase::Control,
        Phase::Completed,
    ],
);

const OCR: Path = not_yet(
    "ocr",
    &[
        Phase::Init,
        Phase::Extraction,
        Phase::Output,
        Phase::Completed,
    ],
);

const ARXIV: Path = not_yet(
    "arxiv",
    &[
        Phase::Init,
        Phase::Extraction,
        Phase::Download,
        Phase::Completed,
    ],
);

const ENHANCE_INPUT: Path = not_yet(
    "summarizer",
    &[
        Phase::Init,
        Phase::Extraction,
        Phase::Download,
        Phase::Summarize,
        Phase::Output,
        Phase::Completed,
    ],
);

const fn not_yet(agent: &'static str, phases: &'static [Phase]) -> Path {
    Path {
        phases,
        agent,
        first: None,
        nodes: &[Node::Init, Node::Terminator],
        planning: Phase::Init,
        working: Phase::Init,
    }
}

impl Path {
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

    /// Whether a run of this mode can succeed.
    pub const fn is_available(&self) -> bool {
        self.first.is_some()
    }

    /// The phase in which a stage is done.
    pub(crate) const fn phase(&self, stage: Stage) -> Phase {
        match stage {
            Stage::Open => Phase::Init,
            Stage::Plan | Stage::Review | Stage::Revise => self.planning,
            _ => self.working,
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
                let phases: Vec<&str> = Path::of(info.id)
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
}
