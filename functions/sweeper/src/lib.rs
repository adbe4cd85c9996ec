//! Recovers overdue sessions, once a minute.
//!
//! A sparse index holds each session that waits for anything but a person, by the time at which it
//! is due. The index may lag, so [`lambda_kit::recover`] decides by the newest log entry. A session
//! that cannot be recovered is reported once, is put off, and does not stop the sessions after it.

mod shard;

use std::time::{Duration, Instant};

use futures::future::join_all;
use lambda_kit::recover::recover;
use lambda_kit::{Outbox, Problem, metrics, now, time_left};
use lambda_runtime::Context;
use session::Timestamp;
use session_manager::{SHARDS, SessionManager};

use shard::{ShardResult, recover_shard};

/// The time of an invocation, if the runtime's deadline cannot be used.
const INVOCATION_TIME: Duration = Duration::from_secs(55);

/// The time that the recovery of another session needs.
const MARGIN: Duration = Duration::from_secs(10);

/// The number of sessions that one query of a shard returns.
const PAGE: usize = 100;

/// The clients of the sweeper, made once per process.
#[derive(Debug)]
pub struct Sweeper {
    /// The sessions.
    pub sessions: SessionManager,
    /// Push and queue.
    pub outbox: Outbox,
}

/// When an invocation stops to begin further recoveries.
pub fn stop_time(context: &Context) -> Instant {
    Instant::now() + time_left(context, INVOCATION_TIME).saturating_sub(MARGIN)
}

impl Sweeper {
    /// Recovers all due sessions, all shards concurrently, until the time is up.
    ///
    /// # Errors
    /// The last failure of a shard or a session, after all others were handled, so that the alarm
    /// is raised.
    pub async fn sweep(&self, until: Instant) -> Result<(), Problem> {
        let now = now();
        let shards = (0..SHARDS).map(|shard| self.shard(shard, now, until));
        let results = join_all(shards).await.into_iter();
        let total = results.fold(ShardResult::default(), ShardResult::and);
        tracing::info!(done = total.recovered, whole = total.is_complete, "swept");
        metrics::swept(total.recovered);
        total.problem.map_or(Ok(()), Err)
    }

    async fn shard(&self, shard: u8, now: Timestamp, until: Instant) -> ShardResult {
        let page = async |after: Option<&_>| {
            let due = self.sessions.due(shard, now, PAGE, after).await?;
            Ok(due)
        };
        recover_shard(until, page, async |overdue| {
            recover(&self.sessions, &self.outbox, &overdue, now).await
        })
        .await
    }
}
