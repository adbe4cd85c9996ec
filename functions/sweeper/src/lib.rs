//! Every minute: does what is overdue in any session.
//!
//! Everything that waits for something other than a person stands in a sparse index under the time at which somebody must
//! look again. The index may lag, so the newest entry decides, in [`lambda_kit::recover`]. A session that fails here stays
//! due, and the next minute looks again; those behind it are looked at all the same.

mod walk;

use std::time::{Duration, Instant};

use futures::future::join_all;
use lambda_kit::recover::recover;
use lambda_kit::{Outbox, Problem, metrics, now, time_left};
use lambda_runtime::Context;
use session::Timestamp;
use session_manager::{SHARDS, SessionManager};

use walk::{Walked, walk};

/// How long an invocation may take, where the runtime's deadline cannot be used.
const TIME: Duration = Duration::from_secs(55);

/// What must be left of an invocation to begin another look.
const MARGIN: Duration = Duration::from_secs(10);

/// How many sessions one query of a shard brings.
const PAGE: usize = 100;

/// All that the sweeper works with, made once per process.
#[derive(Debug)]
pub struct Sweeper {
    /// The sessions.
    pub sessions: SessionManager,
    /// Push and queue.
    pub outbox: Outbox,
}

/// Until when an invocation begins to look at further sessions.
pub fn time_of(context: &Context) -> Instant {
    Instant::now() + time_left(context, TIME).saturating_sub(MARGIN)
}

impl Sweeper {
    /// Looks at all that is due, the shards side by side, as far as the time goes.
    ///
    /// # Errors
    /// Trouble with a shard or a session, after all the others were looked at: the alarm must ring.
    pub async fn sweep(&self, until: Instant) -> Result<(), Problem> {
        let now = now();
        let shards = (0..SHARDS).map(|shard| self.shard(shard, now, until));
        let all = join_all(shards).await.into_iter();
        let all = all.fold(Walked::default(), Walked::and);
        tracing::info!(done = all.done, whole = all.whole, "swept");
        metrics::swept(all.done);
        all.trouble.map_or(Ok(()), Err)
    }

    async fn shard(&self, shard: u8, now: Timestamp, until: Instant) -> Walked {
        let page = async |behind: Option<&_>| {
            let due = self.sessions.due(shard, now, PAGE, behind).await?;
            Ok(due)
        };
        walk(until, page, async |overdue| {
            recover(&self.sessions, &self.outbox, &overdue, now).await
        })
        .await
    }
}
