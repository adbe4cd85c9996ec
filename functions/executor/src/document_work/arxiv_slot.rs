//! Access to arXiv, whose limit of requests all runs share: one request takes one slot.
//!
//! A run whose next task sends a request takes the slot before its worker takes the lease. While
//! the slot is taken, the run's message is sent again for the time at which it is free: nothing is
//! appended, no attempt and no hop is counted, and the sweeper's time for the session moves on. A
//! run that ends while its message waits is found ended when the message arrives.

use std::time::{Duration, Instant};

use agents::ModelSettings;
use documents::DocumentSettings;
use documents::arxiv::{Arxiv, ArxivConfigError};
use lambda_kit::{Problem, QueueMessage, now};
use session::{Position, State, Wake};
use session_manager::{ReadError, Slot};
use workflow::calls_arxiv_at;

use super::DocumentWork;
use crate::Executor;

/// The name of the slot in the table.
const SLOT: &str = "arxiv";

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
    ) -> Result<Self, ArxivConfigError> {
        let arxiv = documents.arxiv();
        Ok(Self {
            max_pdf_bytes: arxiv.max_pdf_bytes as u64,
            window: models.model_window as usize * WINDOW_BYTES_PER_TOKEN,
            arxiv: Arxiv::new(&arxiv)?,
            every: documents.arxiv_interval.0,
            margin: models.step_margin.0,
        })
    }
}

impl DocumentWork {
    /// Whether a run may begin now. If not, its message comes again when it may.
    pub async fn may_begin(
        &mut self,
        executor: &Executor,
        state: &State,
        wake: Wake,
    ) -> Result<bool, Problem> {
        let position = state.unfinished_run().map(|run| run.position);
        // A slice needs one slot, however often it tries to take the lease.
        if self.slot_taken_at.is_some() || !position.is_some_and(Self::needs_admission) {
            return Ok(true);
        }
        let (taken_at, at) = (Instant::now(), now());
        match executor.take_arxiv_slot().await? {
            Slot::Taken => self.slot_taken_at = Some(taken_at),
            // The worker that yielded the lease has sent a message of its own, and one is enough.
            Slot::FreeAt(_) if wake.epoch != state.lease.epoch && state.lease.until.is_none() => {}
            Slot::FreeAt(free_at) => {
                let epoch = state.lease.epoch;
                let wake = Wake { epoch, ..wake };
                send_again(executor, state, wake, free_at.since(at)).await?;
            }
        }
        Ok(self.slot_taken_at.is_some())
    }

    /// Whether a run that stands there begins only when [`may_begin`](Self::may_begin) allows it.
    /// The run yields its lease before such a position.
    pub fn needs_admission(position: Position) -> bool {
        calls_arxiv_at(position)
    }

    /// How long the message that continues a run waits: until the slot after this slice's is free,
    /// if the run needs it.
    pub fn pause(&self, executor: &Executor, state: &State) -> Duration {
        let run = state.unfinished_run();
        let needs_slot = run.is_some_and(|run| Self::needs_admission(run.position));
        match self.slot_taken_at.filter(|_| needs_slot) {
            Some(taken_at) => {
                whole_seconds(executor.papers.every.saturating_sub(taken_at.elapsed()))
            }
            None => Duration::ZERO,
        }
    }

    /// Renews the slot immediately before the request, so that the next slot counts from here.
    /// Returns false when this slice's slot is over and another worker has the next one.
    pub async fn use_slot(&self, executor: &Executor) -> Result<bool, ReadError> {
        let every = executor.papers.every;
        if self.slot_taken_at.is_some_and(|at| at.elapsed() < every) {
            executor.keep_arxiv_slot(every).await?;
            return Ok(true);
        }
        Ok(executor.take_arxiv_slot().await? == Slot::Taken)
    }
}

impl Executor {
    async fn take_arxiv_slot(&self) -> Result<Slot, ReadError> {
        let every = self.papers.every;
        self.sessions.take_slot(SLOT, every, now()).await
    }

    /// Keeps every worker from arXiv for this time.
    pub(super) async fn keep_arxiv_slot(&self, time: Duration) -> Result<(), ReadError> {
        self.sessions.push_back_slot(SLOT, now().plus(time)).await
    }
}

async fn send_again(
    executor: &Executor,
    state: &State,
    wake: Wake,
    wait: Duration,
) -> Result<(), ReadError> {
    let delay = whole_seconds(wait);
    let (sessions, outbox) = (&executor.sessions, &executor.outbox);
    sessions
        .postpone(wake.session_id, now().plus(delay))
        .await?;
    outbox
        .enqueue_after(QueueMessage::Wake(wake), Some(&state.owner), delay)
        .await;
    Ok(())
}

/// A delay as the queue takes it, rounded up.
fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_rounded_up() {
        for (millis, seconds) in [(0, 0), (1, 1), (999, 1), (1_000, 1), (2_600, 3)] {
            let delay = whole_seconds(Duration::from_millis(millis));
            assert_eq!(delay, Duration::from_secs(seconds));
        }
    }
}
