//! Every minute: does what is overdue in any session.
//!
//! Everything that waits for something other than a person stands in a sparse index under the time at which somebody must
//! look again. The index may lag, so the newest entry decides, in [`lambda_kit::recover`]. A session that fails here stays
//! due, and the next minute looks again.

use futures::StreamExt as _;
use lambda_kit::recover::{Recovered, recover};
use lambda_kit::{Outbox, Problem, now};
use session::Timestamp;
use session_manager::{SHARDS, SessionManager};

/// How many sessions are looked at together.
const AT_ONCE: usize = 8;

/// How many sessions of a shard one look takes, the longest overdue first; the next minute goes on with the others.
const AT_MOST: usize = 500;

/// All that the sweeper works with, made once per process.
#[derive(Debug)]
pub struct Sweeper {
    /// The sessions.
    pub sessions: SessionManager,
    /// Push and queue.
    pub outbox: Outbox,
}

impl Sweeper {
    /// Looks at all that is due, shard by shard.
    ///
    /// # Errors
    /// The first trouble with a shard or a session, after all the others were looked at: the alarm must ring.
    pub async fn sweep(&self) -> Result<(), Problem> {
        let now = now();
        let mut trouble = None;
        let mut done = 0_usize;
        for shard in 0..SHARDS {
            match self.shard(shard, now).await {
                Ok(count) => done += count,
                Err(problem) => trouble = Some(problem),
            }
        }
        tracing::info!(done, "swept");
        trouble.map_or(Ok(()), Err)
    }

    async fn shard(&self, shard: u8, now: Timestamp) -> Result<usize, Problem> {
        let due = self.sessions.due(shard, now, AT_MOST).await?;
        let recovered: Vec<_> = futures::stream::iter(due)
            .map(|session| recover(&self.sessions, &self.outbox, session, now))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut done = 0;
        let mut trouble = None;
        for one in recovered {
            match one {
                Ok(Recovered::Nothing) => {}
                Ok(_) => done += 1,
                Err(problem) => {
                    problem.log();
                    trouble = Some(problem);
                }
            }
        }
        trouble.map_or(Ok(done), Err)
    }
}
