//! The end of this invocation, and retries until then.

use std::time::{Duration, Instant};

use backon::{ConstantBuilder, Retryable as _};
use lambda_kit::{now, time_left};
use lambda_runtime::Context;
use session::Timestamp;
use session_manager::ChangeError;

/// The time that another write needs.
const LAST_CALL: Duration = Duration::from_secs(2);

/// The pause between two attempts.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// The end of an invocation, on both clocks: the monotonic one for waiting, the wall clock for the
/// lease.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    instant: Instant,
    timestamp: Timestamp,
}

impl Deadline {
    /// The runtime's deadline. If it lies in the past, as under `cargo lambda watch`, the
    /// configured time-out from now.
    pub fn of(context: &Context, timeout: Duration) -> Self {
        Self::after(time_left(context, timeout))
    }

    /// The deadline that is this far from now.
    pub fn after(left: Duration) -> Self {
        Self {
            instant: Instant::now() + left,
            timestamp: now().plus(left),
        }
    }

    /// On the monotonic clock.
    pub const fn instant(&self) -> Instant {
        self.instant
    }

    /// When no further write should begin.
    pub fn last_call(&self) -> Instant {
        self.before(LAST_CALL)
    }

    /// This long before the deadline, on the monotonic clock.
    pub fn before(&self, time: Duration) -> Instant {
        self.instant.checked_sub(time).unwrap_or(self.instant)
    }

    /// On the wall clock.
    pub const fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Whether this much time is left.
    pub fn leaves(&self, time: Duration) -> bool {
        Instant::now() + time <= self.instant
    }

    /// Repeats an attempt until it succeeds, fails permanently, or the time is up.
    pub(crate) async fn retry<T, F: Future<Output = Result<T, ChangeError>>>(
        &self,
        attempt: impl FnMut() -> F,
    ) -> Result<T, ChangeError> {
        let pauses = ConstantBuilder::default().with_delay(RETRY_PAUSE);
        attempt
            .retry(pauses.without_max_times())
            .sleep(tokio::time::sleep)
            .when(|error| error.is_temporary() && self.leaves(LAST_CALL + RETRY_PAUSE))
            .notify(|error, _| tracing::warn!(%error, "not written yet"))
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn context(millis_since_1970: u128) -> Context {
        let mut context = Context::default();
        context.deadline = u64::try_from(millis_since_1970).unwrap();
        context
    }

    #[test]
    fn a_deadline_in_1970_is_replaced_by_the_configured_time() {
        let deadline = Deadline::of(&context(600_000), Duration::from_secs(180));
        assert!(
            deadline.leaves(Duration::from_secs(179)) && !deadline.leaves(Duration::from_secs(181))
        );
    }

    #[test]
    fn a_deadline_in_the_future_is_kept() {
        let soon = SystemTime::now() + Duration::from_secs(60);
        let millis = soon
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_millis();
        let deadline = Deadline::of(&context(millis), Duration::from_secs(180));
        assert!(
            deadline.leaves(Duration::from_secs(58)) && !deadline.leaves(Duration::from_secs(61))
        );
        assert!(deadline.timestamp().since(now()) <= Duration::from_secs(60));
    }
}
