//! When a run may begin, and the message that continues it.
//!
//! A run whose next task calls a service with a limit of requests takes a place in a line, and its
//! message is sent for that time. So each request costs one start of a worker, however many runs
//! wait, and they are served in the order in which they came. While a run waits, nothing is
//! appended, no attempt and no hop is counted, and the sweeper's time for the session moves on. A
//! run that ends while its message waits is found ended when the message arrives.

use std::time::Duration;

use lambda_kit::{Problem, QueueMessage, now};
use session::{Position, State, Timestamp, Wake};
use session_manager::ReadError;
use workflow::calls_arxiv_at;

use crate::{DocumentTasks, Executor};

/// A place this near has come. The worker waits for the service itself.
const NEAR: Duration = Duration::from_secs(1);

/// The longest delay of a message in the queue. A later place is reached in several messages.
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

impl<T: DocumentTasks> Executor<T> {
    /// Whether a run may begin now. If not, its message comes again in its turn. A slice needs one
    /// place, however often it tries to take the lease: `admitted` says that it has come.
    pub(crate) async fn may_begin(
        &self,
        state: &State,
        wake: Wake,
        admitted: &mut bool,
    ) -> Result<bool, Problem> {
        if *admitted || !stands_in_line(state) {
            return Ok(true);
        }
        // The worker that yielded the lease has sent a message of its own, and one is enough.
        if wake.epoch != state.lease.epoch && state.lease.until.is_none() {
            return Ok(false);
        }
        let place = match wake.place {
            Some(place) => place,
            None => self.tasks.take_place().await?,
        };
        *admitted = place.since(now()) < NEAR;
        if !*admitted {
            let (epoch, worker) = (state.lease.epoch, T::WORKER);
            let wake = Wake {
                epoch,
                worker,
                ..wake
            };
            self.send_for(state, wake, place).await?;
        }
        Ok(*admitted)
    }

    /// Sends the message that continues a run after a pause. A run without a pause that needs a
    /// place takes the next one.
    pub(crate) async fn continue_later(&self, state: &State, wake: Wake, pause: Duration) {
        let sent = if pause.is_zero() && stands_in_line(state) {
            match self.tasks.take_place().await {
                Ok(place) => self.send_for(state, wake, place).await,
                Err(error) => Err(error),
            }
        } else {
            self.send_after(state, wake, pause).await
        };
        if let Err(error) = sent {
            let causes = lambda_kit::causes(&error);
            tracing::error!(causes, "message not sent; the sweeper will");
        }
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

/// Whether a run that stands there begins only in its turn. It yields its lease before such a
/// position.
pub(crate) fn needs_admission(position: Position) -> bool {
    calls_arxiv_at(position)
}

fn stands_in_line(state: &State) -> bool {
    let run = state.unfinished_run();
    run.is_some_and(|run| needs_admission(run.position))
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
