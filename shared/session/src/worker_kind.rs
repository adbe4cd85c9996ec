//! Which kind of worker a run needs. It depends on the mode and the stage alone, so that every
//! process that wakes a run sends the same message to the same queue.

use serde::{Deserialize, Serialize};

use crate::{Mode, Stage, State};

/// A kind of worker. Each has its own queue, function, memory and permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkerKind {
    /// Models and people: it waits most of the time and needs little memory. A message without a
    /// kind is of a version that had no other.
    #[default]
    Models,
    /// Documents: it reads, renders and downloads them.
    Documents,
}

impl WorkerKind {
    /// The worker for a stage of a mode.
    pub const fn of(mode: Mode, stage: Stage) -> Self {
        match (mode, stage) {
            (Mode::Ocr | Mode::Arxiv, _)
            | (Mode::EnhanceInput, Stage::Open | Stage::Extract | Stage::Download) => {
                Self::Documents
            }
            _ => Self::Models,
        }
    }
}

impl State {
    /// The worker that the newest run needs at its position.
    pub fn worker_kind(&self) -> WorkerKind {
        let stage = self.run.as_ref().map(|run| run.position.stage);
        stage.map_or_else(WorkerKind::default, |stage| {
            WorkerKind::of(self.mode, stage)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MODES;

    const STAGES: [Stage; 20] = [
        Stage::Open,
        Stage::Answer,
        Stage::Plan,
        Stage::Review,
        Stage::Revise,
        Stage::ApprovePlan,
        Stage::BeforeStep,
        Stage::Step,
        Stage::AfterStep,
        Stage::OnError,
        Stage::ChooseIdea,
        Stage::Route,
        Stage::Clarify,
        Stage::Propose,
        Stage::Turn,
        Stage::Extract,
        Stage::Download,
        Stage::Summarize,
        Stage::Output,
        Stage::Finish,
    ];

    #[test]
    fn documents_are_read_where_ocr_and_papers_are_and_nowhere_else() {
        for mode in MODES.map(|info| info.id) {
            let of_documents: Vec<Stage> = STAGES
                .into_iter()
                .filter(|stage| WorkerKind::of(mode, *stage) == WorkerKind::Documents)
                .collect();
            let expected: &[Stage] = match mode {
                Mode::Ocr | Mode::Arxiv => &STAGES,
                Mode::EnhanceInput => &[Stage::Open, Stage::Extract, Stage::Download],
                Mode::Copilot
                | Mode::PlanningControl
                | Mode::OneShot
                | Mode::HitlInteractive
                | Mode::IdeaGeneration => &[],
            };
            assert_eq!(of_documents, expected, "{mode}");
        }
    }
}
