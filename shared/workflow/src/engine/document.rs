//! Stages that work on documents, in tasks: a page, a paper, a batch of metadata.
//!
//! Task 0 of a stage counts the tasks that follow, of which there may be none. One task is one
//! commit, so that a lost worker repeats one task at most. The results of a task are in the
//! bucket and the record holds one line about it, so that no state grows with the document.

use session::{EventBody, Position, Progress, Role, Stage};

use super::{AgentRequest, Engine, Usage, Work, progress_builder::ProgressBuilder};
use crate::{
    clip::{clip, clip_message},
    history::with_artifact,
};

/// The most bytes of a line that are kept, because titles and reasons come from outside.
const MAX_LINE_BYTES: usize = 1_024;

/// A task of a document stage; its result goes to [`Engine::advance`].
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentTask {
    /// The stage, one of its mode's.
    pub stage: Stage,
    /// The number of the task: 0 counts the others, which are 1 to `total`.
    pub index: u32,
    /// How many tasks follow task 0; 0 until they are counted.
    pub total: u32,
    /// Whether this is the last attempt. A failed task then counts as done, and its line gives the
    /// reason.
    pub last_try: bool,
    /// The request to an agent, if the task may need one; the worker completes its brief.
    pub request: Option<Box<AgentRequest>>,
}

/// The result of a document task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DocumentTaskResult {
    /// One line for the clients that follow the run, cut at 1 KiB.
    pub line: String,
    /// How many tasks follow; given by task 0 alone.
    pub total: Option<u32>,
    /// The artifacts that the task has stored.
    pub artifacts: Vec<String>,
    /// The usage of every model answer.
    pub usages: Vec<Usage>,
    /// A message for the history of the session.
    pub message: Option<String>,
}

impl DocumentTask {
    /// Whether the task sends a request to arXiv, whose rate is limited.
    pub fn calls_arxiv(&self) -> bool {
        calls_arxiv(self.stage, self.index, self.total)
    }
}

/// Whether a run at this position sends a request to arXiv next.
pub fn calls_arxiv_at(position: Position) -> bool {
    calls_arxiv(position.stage, position.step, position.steps)
}

/// The last task of a download lists the results of the others, without a request.
fn calls_arxiv(stage: Stage, index: u32, total: u32) -> bool {
    stage == Stage::Download && (1..total).contains(&index)
}

impl Engine<'_> {
    /// The document task of the current position.
    pub(crate) fn document(&self) -> Work {
        let at = self.position();
        let mut document = DocumentTask {
            stage: at.stage,
            index: at.step,
            total: at.steps,
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

    /// A summary always needs an agent, a page only if a vision model reads it.
    fn may_ask_an_agent(&self, at: Position) -> bool {
        let reads_pages =
            at.stage == Stage::Extract && !self.spec.documents.contains(&Stage::Download);
        at.step > 0 && (reads_pages || at.stage == Stage::Summarize)
    }

    /// The next task of the stage; after the last one, the next stage of the mode.
    pub(crate) fn after_document_task(&self, result: &DocumentTaskResult) -> Progress {
        let at = self.position();
        let mut progress = ProgressBuilder::on(self);
        progress.line(clip(&result.line, MAX_LINE_BYTES));
        self.record_files(&mut progress, result);
        progress.costs(&result.usages);
        let steps = result.total.unwrap_or(at.steps);
        if at.step < steps {
            let next = Position {
                steps,
                ..self.step_at(at.stage, at.step + 1)
            };
            return progress.advance(next, &[]);
        }
        progress.node_done();
        let next = Position {
            steps: 0,
            ..self.at(self.stage_after(at.stage), 0)
        };
        progress.advance(next, &[])
    }

    fn record_files(&self, progress: &mut ProgressBuilder, result: &DocumentTaskResult) {
        if !result.artifacts.is_empty() {
            let known = self.history.artifacts.clone();
            let files = result
                .artifacts
                .iter()
                .fold(known, |files, name| with_artifact(&files, Some(name)));
            progress.files(files);
        }
        if let Some(message) = &result.message {
            progress.push(EventBody::AgentMessage {
                agent: self.spec.agent.to_owned(),
                role: Role::Assistant,
                message: clip_message(message).to_owned(),
                artifact: None,
                structured_output: None,
            });
        }
    }

    fn stage_after(&self, stage: Stage) -> Stage {
        let mut from_here = self.spec.documents.iter().skip_while(|at| **at != stage);
        from_here.nth(1).copied().unwrap_or(Stage::Finish)
    }
}
