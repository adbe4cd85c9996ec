//! Access to arXiv, whose limit of requests all runs share: one request takes one slot.
//!
//! A run whose next task sends a request takes a place in a line, and its message is sent for that
//! time. So each request costs one start of a worker, however many runs wait, and they are served
//! in the order in which they came. While a run waits, nothing is appended, no attempt and no hop
//! is counted, and the sweeper's time for the session moves on. A run that ends while its message
//! waits is found ended when the message arrives.
//!
//! A message may be late. Therefore the worker also takes the slot itself, immediately before the
//! request, which keeps the interval between any two of them.

use std::time::Duration;

use agents::ModelSettings;
use documents::DocumentSettings;
use documents::arxiv::{Arxiv, ArxivConfigError};
use lambda_kit::{Problem, QueueMessage, now};
use session::{Position, State, Timestamp, Wake};
use session_manager::{ReadError, Slot};
use workflow::calls_arxiv_at;

use super::DocumentWork;
use crate::Executor;

/// The names of the slot and of the line for it in the table.
const SLOT: &str = "arxiv";
const LINE: &str = "arxiv-line";

/// A place this near has come. The worker waits for the slot itself.
const NEAR: Duration = Duration::from_secs(1);

/// The longest that a worker waits for the slot at its place, for the request of a late one.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The longest delay of a message in the queue. A later place is reached in several messages.
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

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
    /// Whether a run may begin now. If not, its message comes again in its turn.
    pub async fn may_begin(
        &mut self,
        executor: &Executor,
        state: &State,
        wake: Wake,
    ) -> Result<bool, Problem> {
        // A slice needs one place, however often it tries to take the lease.
        if self.admitted || !needs_admission(state) {
            return Ok(true);
        }
        // The worker that yielded the lease has sent a message of its own, and one is enough.
        if wake.epoch != state.lease.epoch && state.lease.until.is_none() {
            return Ok(false);
        }
        let place = match wake.place {
            Some(place) => place,
            None => executor.take_arxiv_place().await?,
        };
        self.admitted = place.since(now()) < NEAR;
        if !self.admitted {
            let epoch = state.lease.epoch;
            executor
                .send_for(state, Wake { epoch, ..wake }, place)
                .await?;
        }
        Ok(self.admitted)
    }

    /// Whether a run that stands there begins only when [`may_begin`](Self::may_begin) allows it.
    /// The run yields its lease before such a position.
    pub fn needs_admission(position: Position) -> bool {
        calls_arxiv_at(position)
    }

    /// Sends the message that continues a run after a pause. A run without a pause that needs a
    /// place takes the next one.
    pub async fn continue_later(
        &self,
        executor: &Executor,
        state: &State,
        wake: Wake,
        pause: Duration,
    ) {
        let pause = pause.max(self.pause);
        let sent = if !pause.is_zero() {
            executor.send_after(state, wake, pause).await
        } else if needs_admission(state) {
            match executor.take_arxiv_place().await {
                Ok(place) => executor.send_for(state, wake, place).await,
                Err(error) => Err(error),
            }
        } else {
            executor.send_after(state, wake, Duration::ZERO).await
        };
        if let Err(error) = sent {
            let causes = lambda_kit::causes(&error);
            tracing::error!(causes, "message not sent; the sweeper will");
        }
    }

    /// Takes the slot immediately before the request. Returns false if this worker came so late
    /// that others are in turn.
    pub async fn use_slot(&self, executor: &Executor) -> Result<bool, ReadError> {
        let mut waited = Duration::ZERO;
        loop {
            let (every, now) = (executor.papers.every, now());
            let Slot::FreeAt(free_at) = executor.sessions.take_slot(SLOT, every, now).await? else {
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
}

impl Executor {
    async fn take_arxiv_place(&self) -> Result<Timestamp, ReadError> {
        let every = self.papers.every;
        self.sessions.take_place(LINE, every, now()).await
    }

    /// Keeps every worker from arXiv for this time.
    pub(super) async fn keep_from_arxiv(&self, time: Duration) -> Result<(), ReadError> {
        let until = now().plus(time);
        self.sessions.push_back_slot(LINE, until).await?;
        self.sessions.push_back_slot(SLOT, until).await
    }

    /// Sends a run's message for its place.
    async fn send_for(&self, state: &State, wake: Wake, place: Timestamp) -> Result<(), ReadError> {
        let wait = place.since(now());
        let place = Some(place);
        self.send_after(state, Wake { place, ..wake }, wait).await
    }

    /// Sends a run's message with a delay, and keeps the sweeper from sending another meanwhile.
    async fn send_after(&self, state: &State, wake: Wake, wait: Duration) -> Result<(), ReadError> {
        let delay = whole_seconds(wait.min(LONGEST_DELAY));
        if delay >= self.sessions.rules().requeue / 2 {
            let arrival = now().plus(delay);
            self.sessions.postpone(wake.session_id, arrival).await?;
        }
        let (message, owner) = (QueueMessage::Wake(wake), Some(&state.owner));
        self.outbox.enqueue_after(message, owner, delay).await;
        Ok(())
    }
}

fn needs_admission(state: &State) -> bool {
    let run = state.unfinished_run();
    run.is_some_and(|run| DocumentWork::needs_admission(run.position))
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
