//! Tasks on documents: one inspects a document, reads a page, fetches a paper, or summarises one.
//!
//! [`DocumentTasks`] is all that the slice loop knows of them. Each kind of worker has its own:
//! [`TextTasks`] need nothing but texts in the bucket and a model. A task writes a draft to the
//! bucket and gives one line for the record. A temporary failure is tried again as often as the
//! engine allows. After the last try, and after a permanent failure, the draft holds the reason and
//! the next task follows. A task fails the run only when the run has become pointless.

mod enhance;
mod papers;
mod summarize;
mod work_files;

use std::time::Duration;

use agents::{Agents, CallError};
use documents::{ArtifactError, Artifacts, SessionFiles};
use lambda_kit::now;
use session::{RunId, Stage, State, Timestamp, WorkerKind};
use session_manager::{ReadError, SessionManager};
use workflow::{
    AgentRequest, DocumentTask, DocumentTaskResult, Outcome, RunHistory, RunSettings, StageFailure,
    Usage,
};

use crate::Deadline;
use crate::ask::WorkResult;
pub use papers::{Downloads, PaperEntry, PaperText, count_papers};
pub use work_files::{WorkFiles, fixed_name};

/// The document tasks of a kind of worker.
pub trait DocumentTasks: Sync {
    /// The worker that does them.
    const WORKER: WorkerKind;

    /// What the tasks of one slice share.
    type Shared: Default + Send;

    /// Takes the next place in the line for the service that
    /// [`calls_arxiv_at`](workflow::calls_arxiv_at) tells of.
    fn take_place(&self) -> impl Future<Output = Result<Timestamp, ReadError>> + Send;

    /// Does a task.
    fn work(
        &self,
        task: TaskContext<'_>,
        shared: &mut Self::Shared,
    ) -> impl Future<Output = Result<DocumentTaskResult, DocumentTaskError>> + Send;
}

/// The tasks of the worker for models: on texts that the worker for documents has left in the
/// bucket.
#[derive(Debug)]
pub struct TextTasks;

impl DocumentTasks for TextTasks {
    const WORKER: WorkerKind = WorkerKind::Models;

    type Shared = ();

    /// No task of these waits for a service.
    async fn take_place(&self) -> Result<Timestamp, ReadError> {
        Ok(now())
    }

    async fn work(
        &self,
        task: TaskContext<'_>,
        (): &mut (),
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        match task.task.stage {
            Stage::Summarize => task.summarize().await,
            _ => task.enhance().await,
        }
    }
}

/// A task with all that it needs of its run.
#[derive(Debug, Clone, Copy)]
pub struct TaskContext<'a> {
    /// The sessions.
    pub sessions: &'a SessionManager,
    /// The agents.
    pub agents: &'a Agents,
    /// The bucket.
    pub artifacts: &'a Artifacts,
    /// The session.
    pub state: &'a State,
    /// The settings of the run.
    pub settings: &'a RunSettings,
    /// What the run has done.
    pub history: &'a RunHistory,
    /// The task.
    pub task: &'a DocumentTask,
    /// The run.
    pub run: RunId,
    /// The end of this invocation.
    pub deadline: Deadline,
}

/// Why a task has no result.
#[derive(Debug)]
pub enum DocumentTaskError {
    /// It failed. The duration is the pause that a service asked for.
    Failed(StageFailure, Duration),
    /// It has no result yet and belongs to another invocation, after this pause.
    NotYet(Duration),
}

impl DocumentTaskError {
    /// There was no time for it.
    pub const NO_TIME: Self = Self::NotYet(Duration::ZERO);
}

impl<'a> TaskContext<'a> {
    /// Does the task.
    pub(crate) async fn work<T: DocumentTasks>(
        self,
        tasks: &T,
        shared: &mut T::Shared,
    ) -> WorkResult {
        match tasks.work(self, shared).await {
            Ok(result) => WorkResult::Came(Outcome::DocumentTask(result), None),
            Err(DocumentTaskError::Failed(failure, retry_after)) => {
                let (session, stage) = (self.state.session_id, self.task.stage);
                let (number, code) = (self.number(), &failure.code);
                tracing::warn!(%session, ?stage, number, code, "document task failed");
                WorkResult::Came(Outcome::Failure(failure), Some(retry_after))
            }
            Err(DocumentTaskError::NotYet(pause)) => WorkResult::NotYet(pause),
        }
    }

    /// The task's place in its stage: 0 inspects the input and counts the tasks from 1 on.
    pub const fn number(&self) -> usize {
        self.task.index as usize
    }

    /// The session's files.
    pub fn session_files(&self) -> SessionFiles {
        self.artifacts.of(&self.state.owner, self.state.session_id)
    }

    /// The run's files.
    pub fn work_files(&self) -> WorkFiles {
        WorkFiles::new(self.session_files(), self.run)
    }

    /// The request to the task's agent.
    ///
    /// # Errors
    /// A permanent failure, if the record names no agent.
    pub fn request(&self) -> Result<&'a AgentRequest, StageFailure> {
        let request = self.task.request.as_deref();
        request.ok_or_else(|| failure("record_incomplete", "The record does not say whom to ask."))
    }

    /// Whether a failure is tried again.
    pub const fn tries_again(&self, is_transient: bool) -> bool {
        is_transient && !self.task.last_try
    }
}

impl From<StageFailure> for DocumentTaskError {
    fn from(failure: StageFailure) -> Self {
        Self::Failed(failure, Duration::ZERO)
    }
}

/// A failure after replies of a model, which were billed.
pub fn billed(usages: &[Usage]) -> impl Fn(StageFailure) -> StageFailure {
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
        work_files::storage_unavailable(error).into()
    }
}

/// Whether a model was not called because the time was too short.
pub fn was_not_called(error: &CallError) -> bool {
    error.code() == "out_of_time" && error.usages.is_empty()
}

/// The result of task 0: how many tasks follow.
pub fn inspected(line: impl Into<String>, tasks: usize) -> DocumentTaskResult {
    DocumentTaskResult {
        total: Some(u32::try_from(tasks).unwrap_or(u32::MAX)),
        ..done(line)
    }
}

/// The result of any other task.
pub fn done(line: impl Into<String>) -> DocumentTaskResult {
    DocumentTaskResult {
        line: line.into(),
        ..DocumentTaskResult::default()
    }
}

/// A permanent failure, which ends the run.
pub fn failure(code: &str, error: impl Into<String>) -> StageFailure {
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
pub fn temporary_failure(code: &str, error: impl Into<String>) -> StageFailure {
    StageFailure {
        retryable: true,
        ..failure(code, error)
    }
}
