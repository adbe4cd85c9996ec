//! One unit of a document's mode: a page, a paper, a batch of metadata.
//!
//! Each brings a draft into the bucket and a line into the record. What fails for a reason that may pass is tried again
//! later, as long as the engine allows; on the last try, and for a reason that stays, the draft says why, and the rest goes
//! on. Only what makes the whole run pointless is a failure here.

mod arxiv;
mod drafts;
mod metadata;

use std::time::{Duration, Instant};

use documents::Files;
use documents::arxiv::{Arxiv, ArxivConfigError};
use lambda_kit::Config;
use session::{RunId, Stage, State};
use session_manager::ReadError;
use workflow::{Document, Failed, Memory, Outcome, Worked};

use crate::ask::Asked;
use crate::{Deadline, Executor};
use drafts::Drafts;

/// Papers at arXiv.
#[derive(Debug)]
pub struct Papers {
    /// Who is asked.
    pub arxiv: Arxiv,
    /// The least time between two requests, of all runs together.
    pub every: Duration,
    /// What must be left of an invocation behind a request, to keep what it brought.
    pub margin: Duration,
}

impl Papers {
    /// By `ARXIV_API_URL`, `ARXIV_PDF_URL` and `ARXIV_INTERVAL_MS`.
    ///
    /// # Errors
    /// An address that cannot be asked, or no client.
    pub fn new(config: &Config) -> Result<Self, ArxivConfigError> {
        Ok(Self {
            arxiv: Arxiv::new(&config.arxiv())?,
            every: config.arxiv_interval.0,
            margin: config.step_margin.0,
        })
    }
}

/// A unit that is worked on, with all that it may need to know.
pub(crate) struct Unit<'a> {
    pub executor: &'a Executor,
    pub state: &'a State,
    pub memory: &'a Memory,
    pub document: &'a Document,
    pub run: RunId,
    pub deadline: Deadline,
    /// When this worker took the slot of arXiv, if it did.
    pub slot: Option<Instant>,
}

/// Why nothing came of a unit.
pub(crate) enum Trouble {
    /// It failed; and so long the service asked to be left alone.
    Failed(Failed, Duration),
    /// It is for another invocation, and nothing was tried.
    NoTime,
}

impl From<Failed> for Trouble {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed, Duration::ZERO)
    }
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        tracing::error!(causes = lambda_kit::causes(&error), "slot not kept");
        Self::from(Failed {
            error: "The table did not answer.".into(),
            code: "storage_unavailable".into(),
            error_type: "StorageError".into(),
            retryable: true,
            usages: Vec::new(),
        })
    }
}

impl Unit<'_> {
    /// Works on it.
    pub async fn work(&self) -> Asked {
        let worked = match self.document.stage {
            Stage::Extract => self.find_references().await,
            Stage::Download => self.download().await,
            stage => Err(failure(
                "documents_not_available",
                format!("This version cannot work on {stage:?} yet."),
            )
            .into()),
        };
        match worked {
            Ok(worked) => Asked::Came(Outcome::Unit(worked), None),
            Err(Trouble::Failed(failed, retry_after)) => {
                let (session, stage) = (self.state.session_id, self.document.stage);
                let (unit, code) = (self.document.unit, &failed.code);
                tracing::warn!(%session, ?stage, unit, code, "unit failed");
                Asked::Came(Outcome::Failure(failed), Some(retry_after))
            }
            Err(Trouble::NoTime) => Asked::NoTime,
        }
    }

    fn files(&self) -> Files {
        let (owner, session) = (&self.state.owner, self.state.session_id);
        self.executor.artifacts.of(owner, session)
    }

    fn drafts(&self) -> Drafts {
        Drafts::new(self.files(), self.run)
    }

    /// Whether a failure is worth another try.
    const fn is_worth_a_try(&self, transient: bool) -> bool {
        transient && !self.document.last_try
    }
}

/// The look at what there is, and how many units follow.
fn look(line: impl Into<String>, units: usize) -> Worked {
    Worked {
        line: line.into(),
        units: Some(u32::try_from(units).unwrap_or(u32::MAX)),
        ..Worked::default()
    }
}

/// A unit that is done.
fn done(line: impl Into<String>) -> Worked {
    Worked {
        line: line.into(),
        ..Worked::default()
    }
}

/// The end of the run.
fn failure(code: &str, error: impl Into<String>) -> Failed {
    Failed {
        error: error.into(),
        code: code.into(),
        error_type: "DocumentError".into(),
        retryable: false,
        usages: Vec::new(),
    }
}
