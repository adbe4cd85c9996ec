//! When this invocation ends.

use std::time::{Duration, Instant};

use lambda_kit::{now, time_left};
use lambda_runtime::Context;
use session::Timestamp;
use session_manager::ChangeError;

/// What must be left of an invocation for another write to be worth its attempt.
const LAST_CALL: Duration = Duration::from_secs(2);

/// How long between two attempts.
const BETWEEN: Duration = Duration::from_millis(500);

/// The end of an invocation, on both clocks: the monotonic one for waiting, the wall clock for the lease.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    instant: Instant,
    timestamp: Timestamp,
}

impl Deadline {
    /// The runtime's deadline; where it lies in the past, as under `cargo lambda watch`, the configured time-out from now.
    pub fn of(context: &Context, timeout: Duration) -> Self {
        Self::after(time_left(context, timeout))
    }

    /// A deadline so far from now.
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

    /// When nothing further should be begun.
    pub fn last_call(&self) -> Instant {
        self.before(LAST_CALL)
    }

    /// So long before it, on the monotonic clock.
    pub fn before(&self, time: Duration) -> Instant {
        self.instant.checked_sub(time).unwrap_or(self.instant)
    }

    /// On the wall clock.
    pub const fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Whether so much time is left.
    pub fn leaves(&self, time: Duration) -> bool {
        Instant::now() + time <= self.instant
    }

    /// Tries until it works, the trouble will not pass, or the time is up.
    pub(crate) async fn patiently<T>(
        &self,
        attempt: impl AsyncFn() -> Result<T, ChangeError>,
    ) -> Result<T, ChangeError> {
        loop {
            match attempt().await {
                Err(error) if error.is_temporary() && self.leaves(LAST_CALL + BETWEEN) => {
                    tracing::warn!(%error, "not written yet");
                    tokio::time::sleep(BETWEEN).await;
                }
                settled => return settled,
            }
        }
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
    fn a_deadline_to_come_is_kept() {
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
