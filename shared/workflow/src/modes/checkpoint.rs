//! The points at which a run stops and asks for an approval.

use session::Stage;

/// A point at which a run waits for an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checkpoint {
    /// The plan is drafted and reviewed.
    DuringPlanning,
    /// A step is about to begin.
    BeforeStep,
    /// A step is done.
    AfterStep,
    /// A step failed.
    OnError,
    /// The ideas are ready, and one is chosen.
    AfterIdeas,
    /// Copilot needs information.
    Clarification,
    /// Copilot proposes an approach.
    Proposal,
    /// A turn of a conversation is over.
    CopilotTurn,
    /// The run has reached `maxCostUsd`.
    Budget,
}

impl Checkpoint {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::DuringPlanning,
        Self::BeforeStep,
        Self::AfterStep,
        Self::OnError,
        Self::AfterIdeas,
        Self::Clarification,
        Self::Proposal,
        Self::CopilotTurn,
        Self::Budget,
    ];

    /// The contract's `checkpoint_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DuringPlanning => "during_planning",
            Self::BeforeStep => "before_step",
            Self::AfterStep => "after_step",
            Self::OnError => "on_error",
            Self::AfterIdeas => "after_ideas",
            Self::Clarification => "clarification",
            Self::Proposal => "proposal",
            Self::CopilotTurn => "copilot_turn",
            Self::Budget => "budget",
        }
    }

    /// The checkpoint of this `checkpoint_type`.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The checkpoint of a stage; `None` for a stage with work.
    pub(crate) const fn at(stage: Stage) -> Option<Self> {
        match stage {
            Stage::ApprovePlan => Some(Self::DuringPlanning),
            Stage::BeforeStep => Some(Self::BeforeStep),
            Stage::AfterStep => Some(Self::AfterStep),
            Stage::OnError => Some(Self::OnError),
            Stage::ChooseIdea => Some(Self::AfterIdeas),
            Stage::Clarify => Some(Self::Clarification),
            Stage::Propose => Some(Self::Proposal),
            Stage::Turn => Some(Self::CopilotTurn),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_checkpoint_has_a_unique_name() {
        for kind in Checkpoint::ALL {
            assert_eq!(Checkpoint::of(kind.as_str()), Some(kind));
        }
        assert_eq!(Checkpoint::of("at_lunch"), None);
    }
}
