//! Access to arXiv, whose limit of requests all runs share: one request takes one slot.
//!
//! A run whose next task sends a request takes a place in a line, and its message is sent for that
//! time. A message may be late. Therefore the worker also takes the slot itself, immediately before
//! the request, which keeps the interval between any two of them.

use std::time::Duration;

use agents::ModelSettings;
use documents::DocumentSettings;
use documents::arxiv::{Arxiv, ArxivConfigError};
use lambda_kit::now;
use session::Timestamp;
use session_manager::{ReadError, SessionManager, Slot};

/// The names of the slot and of the line for it in the table.
const SLOT: &str = "arxiv";
const LINE: &str = "arxiv-line";

/// The longest that a worker waits for the slot at its place, for the request of a late one.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Papers at arXiv.
#[derive(Debug)]
pub struct Papers {
    /// The client.
    pub arxiv: Arxiv,
    /// The least time between two requests of all runs together.
    pub every: Duration,
    /// The time of an invocation that a request leaves for storing its result.
    pub margin: Duration,
    /// The largest PDF that is accepted, in bytes.
    pub max_pdf_bytes: u64,
    /// The most of a paper's text that a model is sent, in bytes.
    pub window: usize,
    sessions: SessionManager,
}

/// The least that a token stands for, in bytes of English text, where a quarter of a model's window
/// is left for the prompt and the answer.
const WINDOW_BYTES_PER_TOKEN: usize = 3;

impl Papers {
    /// By `ARXIV_API_URL`, `ARXIV_PDF_URL`, `ARXIV_INTERVAL_MS` and `MODEL_WINDOW_TOKENS`.
    ///
    /// # Errors
    /// An address that cannot be requested, or no HTTP client.
    pub fn new(
        documents: &DocumentSettings,
        models: &ModelSettings,
        sessions: &SessionManager,
    ) -> Result<Self, ArxivConfigError> {
        let arxiv = documents.arxiv();
        Ok(Self {
            max_pdf_bytes: arxiv.max_pdf_bytes as u64,
            window: models.model_window as usize * WINDOW_BYTES_PER_TOKEN,
            arxiv: Arxiv::new(&arxiv)?,
            every: documents.arxiv_interval.0,
            margin: models.step_margin.0,
            sessions: sessions.clone(),
        })
    }
}

impl Papers {
    /// Takes the next place in the line.
    pub(super) async fn take_place(&self) -> Result<Timestamp, ReadError> {
        self.sessions.take_place(LINE, self.every, now()).await
    }

    /// Takes the slot immediately before the request. Returns false if this worker came so late
    /// that others are in turn.
    pub(super) async fn use_slot(&self) -> Result<bool, ReadError> {
        let mut waited = Duration::ZERO;
        loop {
            let now = now();
            let Slot::FreeAt(free_at) = self.sessions.take_slot(SLOT, self.every, now).await?
            else {
                return Ok(true);
            };
            let wait = free_at.since(now);
            waited += wait;
            if waited > LONGEST_WAIT {
                return Ok(false);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Keeps every worker from arXiv for this time.
    pub(super) async fn keep_away(&self, time: Duration) -> Result<(), ReadError> {
        let until = now().plus(time);
        self.sessions.push_back_slot(LINE, until).await?;
        self.sessions.push_back_slot(SLOT, until).await
    }
}
