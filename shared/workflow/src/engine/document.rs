//! Stages that work on documents, in units: a page, a paper, a batch of metadata.
//!
//! Unit 0 of a stage is a look at what there is; it tells how many units follow, and may find none. One unit is one commit,
//! so that a worker that is lost repeats one of them at most. What a unit brought stands in the bucket; the record has a
//! line about it, so that nothing in here grows with the document.

use session::{EventBody, Position, Progress, Role, Stage};

use super::{AgentRequest, Engine, Usage, Work, progress_builder::ProgressBuilder};
use crate::{
    clip::{MAX_MESSAGE_BYTES, clip},
    history::with_artifact,
};

/// The most of a line that is kept: titles and reasons are other people's.
const MAX_LINE_BYTES: usize = 1_024;

/// A unit to be worked on; what came of it goes to [`Engine::advance`].
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentTask {
    /// The stage, one of its mode's.
    pub stage: Stage,
    /// Which unit: 0 is the look at what there is, then 1 to `units`.
    pub unit: u32,
    /// How many units follow the look; 0 until it was taken.
    pub units: u32,
    /// Whether a failure is not tried again: the unit then counts as done, and says why it failed.
    pub last_try: bool,
    /// How an agent is asked, where the unit may need one; its brief is the worker's to complete.
    pub request: Option<Box<AgentRequest>>,
}

/// What came of a unit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DocumentTaskResult {
    /// One line for the watchers. What passes 1 KiB is cut off.
    pub line: String,
    /// How many units follow the look; told by unit 0 alone.
    pub units: Option<u32>,
    /// Artifacts that were stored before.
    pub artifacts: Vec<String>,
    /// Every model answer that was paid for.
    pub usages: Vec<Usage>,
    /// What the run has to say for itself, as a message of the history.
    pub message: Option<String>,
}

impl DocumentTask {
    /// Whether the unit sends a request to arXiv, which takes few.
    pub fn asks_arxiv(&self) -> bool {
        asks_arxiv(self.stage, self.unit, self.units)
    }
}

/// Whether a run that stands there sends a request to arXiv next.
pub fn asks_arxiv_at(position: Position) -> bool {
    asks_arxiv(position.stage, position.step, position.steps)
}

/// The last unit of a download draws up what the others brought.
fn asks_arxiv(stage: Stage, unit: u32, units: u32) -> bool {
    stage == Stage::Download && (1..units).contains(&unit)
}

impl Engine<'_> {
    /// The unit at which the run stands.
    pub(crate) fn document(&self) -> Work {
        let at = self.position();
        let mut document = DocumentTask {
            stage: at.stage,
            unit: at.step,
            units: at.steps,
            last_try: at.tries + 1 >= self.settings.max_attempts,
            request: None,
        };
        if !self.may_ask_an_agent(at) {
            return Work::DocumentTask(document);
        }
        if self.is_spent(0.0) {
            return self.over_budget();
        }
        document.request = self.request().ok().map(Box::new);
        Work::DocumentTask(document)
    }

    /// A paper's summary always needs an agent, a page only where a vision model reads it.
    fn may_ask_an_agent(&self, at: Position) -> bool {
        let reads_pages =
            at.stage == Stage::Extract && !self.path.documents.contains(&Stage::Download);
        at.step > 0 && (reads_pages || at.stage == Stage::Summarize)
    }

    /// The next unit of the stage; behind the last one, the next stage of the path.
    pub(crate) fn after_unit(&self, worked: &DocumentTaskResult) -> Progress {
        let at = self.position();
        let mut entry = ProgressBuilder::on(self);
        entry.note(clip(&worked.line, MAX_LINE_BYTES));
        self.tell(&mut entry, worked);
        entry.costs(&worked.usages);
        let steps = worked.units.unwrap_or(at.steps);
        if at.step < steps {
            let next = Position {
                steps,
                ..self.step_at(at.stage, at.step + 1)
            };
            return entry.go(next, &[]);
        }
        entry.node_done();
        let next = Position {
            steps: 0,
            ..self.at(self.stage_after(at.stage), 0)
        };
        entry.go(next, &[])
    }

    fn tell(&self, entry: &mut ProgressBuilder, worked: &DocumentTaskResult) {
        if !worked.artifacts.is_empty() {
            let known = self.memory.artifacts.clone();
            let files_tracked = worked
                .artifacts
                .iter()
                .fold(known, |files, name| with_artifact(&files, Some(name)));
            entry.push(EventBody::FilesUpdated { files_tracked });
        }
        if let Some(message) = &worked.message {
            entry.push(EventBody::AgentMessage {
                agent: self.path.agent.to_owned(),
                role: Role::Assistant,
                message: clip(message, MAX_MESSAGE_BYTES).to_owned(),
                artifact: None,
                structured_output: None,
            });
        }
    }

    fn stage_after(&self, stage: Stage) -> Stage {
        let mut from_here = self.path.documents.iter().skip_while(|at| **at != stage);
        from_here.nth(1).copied().unwrap_or(Stage::Finish)
    }
}
