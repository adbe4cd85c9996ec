//! Work on documents. One task inspects a document, reads a page, fetches a paper, or summarises
//! one.
//!
//! [`DocumentWork`] is all that the slice loop knows: it says when a run may begin, when it must
//! pause, and it keeps what tasks share. A task writes a draft to the bucket and gives one line for
//! the record. A temporary failure is tried again as often as the engine allows. After the last
//! try, and after a permanent failure, the draft holds the reason and the next task follows. A task
//! fails the run only when the run has become pointless.

mod arxiv_slot;
mod download;
mod enhance;
mod excerpt;
mod page_artifacts;
mod page_reader;
mod pages;
mod papers;
mod summarize;
mod work_files;

use std::time::Duration;

use agents::CallError;
use documents::{ArtifactError, SessionFiles};
use session::{Mode, RunId, Stage, State};
use session_manager::ReadError;
use workflow::{
    DocumentTask, DocumentTaskResult, Outcome, RunHistory, RunSettings, StageFailure, Usage,
};

use crate::ask::WorkResult;
use crate::{Deadline, Executor};
pub use arxiv_slot::Papers;
pub use page_reader::PageReader;
use pages::OpenDocument;
use work_files::{WorkFiles, storage_unavailable};

/// What the document tasks of one slice share.
#[derive(Debug, Default)]
pub(crate) struct DocumentWork {
    /// Whether this slice has come in its turn at arXiv.
    admitted: bool,
    /// The pause before the next attempt of a task.
    pause: Duration,
    /// The document that stays open from one page to the next.
    open: Option<OpenDocument>,
}

/// A task with all that it needs.
pub(crate) struct DocumentWorker<'a> {
    pub executor: &'a Executor,
    pub state: &'a State,
    pub settings: &'a RunSettings,
    pub history: &'a RunHistory,
    pub task: &'a DocumentTask,
    pub run: RunId,
    pub deadline: Deadline,
    pub shared: &'a mut DocumentWork,
}

/// Why a task has no result.
enum DocumentTaskError {
    /// It failed. The duration is the pause that a service asked for.
    Failed(StageFailure, Duration),
    /// It has no result yet and belongs to another invocation.
    NoTime,
}

impl DocumentWorker<'_> {
    /// Does the task.
    pub async fn work(&mut self) -> WorkResult {
        let result = match (self.task.stage, self.state.mode) {
            (Stage::Extract, Mode::Ocr) => self.read_document().await,
            (Stage::Extract, _) => self.find_references().await,
            (Stage::Download, _) => self.download().await,
            (Stage::Summarize, _) => self.summarize().await,
            (_, Mode::Ocr) => self.write_pages().await,
            _ => self.enhance().await,
        };
        match result {
            Ok(result) => WorkResult::Came(Outcome::DocumentTask(result), None),
            Err(DocumentTaskError::Failed(failure, retry_after)) => {
                let (session, stage) = (self.state.session_id, self.task.stage);
                let (number, code) = (self.number(), &failure.code);
                tracing::warn!(%session, ?stage, number, code, "document task failed");
                WorkResult::Came(Outcome::Failure(failure), Some(retry_after))
            }
            Err(DocumentTaskError::NoTime) => WorkResult::NoTime,
        }
    }

    /// The task's place in its stage: 0 inspects the input and counts the tasks from 1 on.
    const fn number(&self) -> usize {
        self.task.index as usize
    }

    fn session_files(&self) -> SessionFiles {
        let (owner, session) = (&self.state.owner, self.state.session_id);
        self.executor.artifacts.of(owner, session)
    }

    fn work_files(&self) -> WorkFiles {
        WorkFiles::new(self.session_files(), self.run)
    }

    /// Whether a failure is tried again.
    const fn tries_again(&self, is_transient: bool) -> bool {
        is_transient && !self.task.last_try
    }
}

impl From<StageFailure> for DocumentTaskError {
    fn from(failure: StageFailure) -> Self {
        Self::Failed(failure, Duration::ZERO)
    }
}

/// A failure after replies of a model, which were billed.
fn billed(usages: &[Usage]) -> impl Fn(StageFailure) -> StageFailure {
    |failure| StageFailure {
        calls: u32::try_from(usages.len()).unwrap_or(u32::MAX),
        usages: usages.to_vec(),
        ..failure
    }
}

impl From<ReadError> for DocumentTaskError {
    fn from(error: ReadError) -> Self {
        tracing::error!(causes = lambda_kit::causes(&error), "table not read");
        let sentence = "The table did not answer.";
        Self::from(StageFailure {
            error_type: "StorageError".into(),
            retryable: true,
            ..failure("storage_unavailable", sentence)
        })
    }
}

impl From<ArtifactError> for DocumentTaskError {
    fn from(error: ArtifactError) -> Self {
        storage_unavailable(error).into()
    }
}

/// Whether a model was not called because the time was too short.
fn was_not_called(error: &CallError) -> bool {
    error.code() == "out_of_time" && error.usages.is_empty()
}

/// The result of task 0: how many tasks follow.
fn inspected(line: impl Into<String>, tasks: usize) -> DocumentTaskResult {
    DocumentTaskResult {
        total: Some(u32::try_from(tasks).unwrap_or(u32::MAX)),
        ..done(line)
    }
}

/// The result of any other task.
fn done(line: impl Into<String>) -> DocumentTaskResult {
    DocumentTaskResult {
        line: line.into(),
        ..DocumentTaskResult::default()
    }
}

/// A permanent failure, which ends the run.
fn failure(code: &str, error: impl Into<String>) -> StageFailure {
    StageFailure {
        error: error.into(),
        code: code.into(),
        error_type: "DocumentError".into(),
        retryable: false,
        calls: 0,
        usages: Vec::new(),
    }
}

/// A failure that is tried again in a later slice.
fn temporary_failure(code: &str, error: impl Into<String>) -> StageFailure {
    StageFailure {
        retryable: true,
        ..failure(code, error)
    }
}
