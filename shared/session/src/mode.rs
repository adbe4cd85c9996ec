//! The table of the eight modes, without their engines.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A mode as `GET /api/sessions/modes/list` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ModeInfo {
    /// The mode.
    pub id: Mode,
    /// The name that clients show.
    pub label: &'static str,
    /// One sentence that describes it.
    pub description: &'static str,
    /// Whether a session of this mode supports suspend, resume and tasks after a completed one.
    pub supports_resume: bool,
    /// Whether a run can ask for approvals.
    pub supports_hitl: bool,
}

macro_rules! modes {
    ($($variant:ident, $id:literal, $label:literal, $resume:literal, $hitl:literal, $description:literal;)*) => {
        /// The kind of work that a session does. It is fixed when the session is created.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Mode {
            $(#[doc = $description] #[serde(rename = $id)] $variant,)*
        }

        /// All modes, in the order that clients see.
        pub const MODES: [ModeInfo; 8] = [
            $(ModeInfo { id: Mode::$variant, label: $label, description: $description, supports_resume: $resume, supports_hitl: $hitl },)*
        ];

        impl Mode {
            /// The id that clients use.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// Whether a session of this mode supports suspend, resume and tasks after a completed
            /// one.
            pub const fn supports_resume(self) -> bool {
                match self { $(Self::$variant => $resume,)* }
            }
        }
    };
}

modes! {
    Copilot, "copilot", "Copilot", true, true, "A conversation in turns: each task is routed to the agents that suit it.";
    PlanningControl, "planning-control", "Planning & Control", true, true, "A plan is drafted and reviewed, then carried out step by step.";
    OneShot, "one-shot", "One Shot", false, false, "One agent answers one task.";
    HitlInteractive, "hitl-interactive", "HITL Interactive", true, true, "A plan and its steps, each approved by a person.";
    IdeaGeneration, "idea-generation", "Idea Generation", true, true, "Ideas are made, criticised, improved, and one is chosen.";
    Ocr, "ocr", "OCR", false, false, "The text of a PDF or an image.";
    Arxiv, "arxiv", "arXiv Filter", false, false, "The arXiv papers that a text refers to, found and fetched.";
    EnhanceInput, "enhance-input", "Enhance Input", false, false, "A text enriched by summaries of the papers that it refers to.";
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// No mode has this id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown mode; use one of copilot, planning-control, one-shot, hitl-interactive, idea-generation, ocr, arxiv, enhance-input"
)]
pub struct UnknownMode;

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        MODES
            .iter()
            .find(|info| info.id.id() == text)
            .map(|info| info.id)
            .ok_or(UnknownMode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_the_same_text_in_serde_and_from_str() {
        for info in MODES {
            assert_eq!(serde_json::to_value(info.id).unwrap(), info.id.id());
            assert_eq!(info.id.id().parse::<Mode>().unwrap(), info.id);
            assert!(UnknownMode.to_string().contains(info.id.id()));
            assert_eq!(
                info.supports_resume, info.supports_hitl,
                "the contract's table has both or none"
            );
        }
        assert_eq!("One-Shot".parse::<Mode>(), Err(UnknownMode));
    }
}
