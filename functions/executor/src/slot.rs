//! The slot of arXiv: a run that asks it next takes the slot before a worker takes the lease.
//!
//! Is it not free, then the run's message comes again when it is. Nothing is appended meanwhile, no attempt and no hop is
//! counted, and the sweeper is told that the message is on its way. A run that ends while it waits is found ended by then.

use std::time::{Duration, Instant};

use lambda_kit::{Problem, QueueMessage, now};
use session::{State, Wake};
use session_manager::{ReadError, Slot};
use workflow::calls_arxiv_at;

use crate::Executor;

/// The name of the slot in the table.
const NAME: &str = "arxiv";

/// Whether a run may go on.
pub(crate) enum SlotAccess {
    /// Now; with the moment at which its slot was taken, where it needs one.
    Now(Option<Instant>),
    /// Not now: another message will see.
    Later,
}

impl Executor {
    /// Whether a run may go on where it stands.
    pub(crate) async fn turn(&self, state: &State, wake: Wake) -> Result<SlotAccess, Problem> {
        let position = state.unfinished_run().map(|run| run.position);
        if !position.is_some_and(calls_arxiv_at) {
            return Ok(SlotAccess::Now(None));
        }
        let (taken_at, at) = (Instant::now(), now());
        let every = self.papers.every;
        match self.sessions.take_slot(NAME, every, at).await? {
            Slot::Taken => Ok(SlotAccess::Now(Some(taken_at))),
            // Whoever gave the lease back has sent a message of its own: one that waits is enough.
            Slot::FreeAt(_) if wake.epoch != state.lease.epoch && state.lease.until.is_none() => {
                Ok(SlotAccess::Later)
            }
            Slot::FreeAt(free_at) => {
                let epoch = state.lease.epoch;
                let wait = free_at.since(at);
                self.come_again(Wake { epoch, ..wake }, wait).await?;
                Ok(SlotAccess::Later)
            }
        }
    }

    async fn come_again(&self, wake: Wake, wait: Duration) -> Result<(), ReadError> {
        let delay = whole_seconds(wait);
        let arrival = now().plus(delay);
        self.sessions.postpone(wake.session_id, arrival).await?;
        self.outbox
            .enqueue_after(QueueMessage::Wake(wake), delay)
            .await;
        Ok(())
    }

    /// Makes sure that the slot is this worker's now, just before its request: the next one counts from here. False when
    /// somebody else was first, because the slot that was taken has passed.
    pub(crate) async fn use_slot(&self, taken_at: Option<Instant>) -> Result<bool, ReadError> {
        let every = self.papers.every;
        if taken_at.is_some_and(|at| at.elapsed() < every) {
            self.push_slot_back(every).await?;
            return Ok(true);
        }
        let slot = self.sessions.take_slot(NAME, every, now()).await?;
        Ok(slot == Slot::Taken)
    }

    /// Nobody asks arXiv for so long.
    pub(crate) async fn push_slot_back(&self, time: Duration) -> Result<(), ReadError> {
        self.sessions.push_back_slot(NAME, now().plus(time)).await
    }
}

/// A delay as the queue takes it, never shorter than was asked for.
pub(crate) fn whole_seconds(time: Duration) -> Duration {
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
