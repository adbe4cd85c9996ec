//! One unit of a document's mode: a page, a paper, a batch of metadata.
//!
//! Each brings a draft into the bucket and a line into the record. What fails for a reason that may pass is tried again
//! later, as long as the engine allows; on the last try, and for a reason that stays, the draft says why, and the rest goes
//! on. Only what makes the whole run pointless is a failure here.

mod arxiv;
mod drafts;
mod enhance;
mod folder;
mod metadata;
mod ocr;
mod output;
mod pages;
mod sections;
mod summarize;

use std::time::{Duration, Instant};

use agents::CallError;
use documents::arxiv::{Arxiv, ArxivConfigError};
use documents::{ArtifactError, SessionFiles};
use lambda_kit::Config;
use session::{Mode, RunId, Stage, State};
use session_manager::ReadError;
use workflow::{DocumentTask, DocumentTaskResult, Outcome, RunHistory, RunSettings, StageFailure};

use crate::ask::WorkResult;
use crate::{Deadline, Executor};
use drafts::WorkFiles;
pub use ocr::PageReader;
pub(crate) use pages::OpenDocuments;

/// Papers at arXiv.
#[derive(Debug)]
pub struct Papers {
    /// Who is asked.
    pub arxiv: Arxiv,
    /// The least time between two requests, of all runs together.
    pub every: Duration,
    /// What must be left of an invocation behind a request, to keep what it brought.
    pub margin: Duration,
    /// The largest PDF that is taken, in bytes.
    pub max_pdf_bytes: u64,
    /// The most of a paper's text that a model is told, in bytes.
    pub window: usize,
}

/// What a token stands for at the least, in bytes of English text, where a quarter of a model's window is left for the
/// prompt and the answer.
const WINDOW_BYTES_PER_TOKEN: usize = 3;

impl Papers {
    /// By `ARXIV_API_URL`, `ARXIV_PDF_URL`, `ARXIV_INTERVAL_MS` and `MODEL_WINDOW_TOKENS`.
    ///
    /// # Errors
    /// An address that cannot be asked, or no client.
    pub fn new(config: &Config) -> Result<Self, ArxivConfigError> {
        let arxiv = config.arxiv();
        Ok(Self {
            max_pdf_bytes: arxiv.max_pdf_bytes as u64,
            window: config.model_window as usize * WINDOW_BYTES_PER_TOKEN,
            arxiv: Arxiv::new(&arxiv)?,
            every: config.arxiv_interval.0,
            margin: config.step_margin.0,
        })
    }
}

/// A unit that is worked on, with all that it may need to know.
pub(crate) struct DocumentWorker<'a> {
    pub executor: &'a Executor,
    pub state: &'a State,
    pub settings: &'a RunSettings,
    pub memory: &'a RunHistory,
    pub document: &'a DocumentTask,
    pub run: RunId,
    pub deadline: Deadline,
    /// When this worker took the slot of arXiv, if it did.
    pub slot: Option<Instant>,
    /// What is kept open from one unit to the next.
    pub documents: &'a mut OpenDocuments,
}

/// Why nothing came of a unit.
pub(crate) enum DocumentTaskError {
    /// It failed; and so long the service asked to be left alone.
    Failed(StageFailure, Duration),
    /// It is for another invocation, and nothing was tried.
    NoTime,
}

impl From<StageFailure> for DocumentTaskError {
    fn from(failed: StageFailure) -> Self {
        Self::Failed(failed, Duration::ZERO)
    }
}

impl From<ReadError> for DocumentTaskError {
    fn from(error: ReadError) -> Self {
        tracing::error!(causes = lambda_kit::causes(&error), "table not read");
        Self::from(StageFailure {
            error: "The table did not answer.".into(),
            code: "storage_unavailable".into(),
            error_type: "StorageError".into(),
            retryable: true,
            usages: Vec::new(),
        })
    }
}

impl DocumentWorker<'_> {
    /// Works on it.
    pub async fn work(&mut self) -> WorkResult {
        let worked = match (self.document.stage, self.state.mode) {
            (Stage::Extract, Mode::Ocr) => self.read_document().await,
            (Stage::Extract, _) => self.find_references().await,
            (Stage::Download, _) => self.download().await,
            (Stage::Summarize, _) => self.summarize().await,
            (_, Mode::Ocr) => self.write_pages().await,
            _ => self.enhance().await,
        };
        match worked {
            Ok(worked) => WorkResult::Came(Outcome::DocumentTask(worked), None),
            Err(DocumentTaskError::Failed(failed, retry_after)) => {
                let (session, stage) = (self.state.session_id, self.document.stage);
                let (unit, code) = (self.document.index, &failed.code);
                tracing::warn!(%session, ?stage, unit, code, "unit failed");
                WorkResult::Came(Outcome::Failure(failed), Some(retry_after))
            }
            Err(DocumentTaskError::NoTime) => WorkResult::NoTime,
        }
    }

    fn files(&self) -> SessionFiles {
        let (owner, session) = (&self.state.owner, self.state.session_id);
        self.executor.artifacts.of(owner, session)
    }

    fn drafts(&self) -> WorkFiles {
        WorkFiles::new(self.files(), self.run)
    }

    /// Whether a failure is worth another try.
    const fn is_worth_a_try(&self, transient: bool) -> bool {
        transient && !self.document.last_try
    }
}

/// The bucket, or this machine's own disk, is in the way.
fn storage(error: ArtifactError) -> DocumentTaskError {
    drafts::not_kept(error).into()
}

/// Whether a model was not asked for want of time.
fn nothing_was_tried(error: &CallError) -> bool {
    error.code() == "out_of_time" && error.usages.is_empty()
}

/// The look at what there is, and how many units follow.
fn look(line: impl Into<String>, units: usize) -> DocumentTaskResult {
    DocumentTaskResult {
        line: line.into(),
        total: Some(u32::try_from(units).unwrap_or(u32::MAX)),
        ..DocumentTaskResult::default()
    }
}

/// A unit that is done.
fn done(line: impl Into<String>) -> DocumentTaskResult {
    DocumentTaskResult {
        line: line.into(),
        ..DocumentTaskResult::default()
    }
}

/// The end of the run.
fn failure(code: &str, error: impl Into<String>) -> StageFailure {
    StageFailure {
        error: error.into(),
        code: code.into(),
        error_type: "DocumentError".into(),
        retryable: false,
        usages: Vec::new(),
    }
}
