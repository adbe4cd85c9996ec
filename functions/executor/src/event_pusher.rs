//! Pushes a worker's events during its next step, in the order of its commits.
//!
//! It must be finished before the invocation ends, because nothing runs after a Lambda's reply.

use std::time::{Duration, Instant};

use lambda_kit::Push;
use session::{Envelope, SessionId};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

/// The most time for the last pushes. A client that misses an event asks for it.
const PUSH_TIME: Duration = Duration::from_secs(3);

/// How far pushes may be behind before the next commit lets them catch up, and for how long. Less
/// than a push's turn, see `session::PushTurn`.
const PUSH_LAG: Duration = Duration::from_millis(200);
const CATCH_UP_TIME: Duration = Duration::from_secs(1);

/// The pushes of one worker.
pub(crate) struct EventPusher {
    push: Push,
    session: SessionId,
    /// The push of the newest commit, which waits for those before it.
    newest: Option<JoinHandle<()>>,
    /// When the oldest commit that may not be pushed yet was given.
    behind_since: Instant,
}

impl EventPusher {
    pub fn new(push: Push, session: SessionId) -> Self {
        Self {
            push,
            session,
            newest: None,
            behind_since: Instant::now(),
        }
    }

    /// Begins a push after `wait`, behind the pushes before.
    pub fn push(&mut self, events: Vec<Envelope>, wait: Duration) {
        if events.is_empty() {
            return;
        }
        let before = self.newest.take().filter(|before| !before.is_finished());
        if before.is_none() {
            self.behind_since = Instant::now();
        }
        let (push, session) = (self.push.clone(), self.session);
        let pushing = async move {
            tokio::time::sleep(wait).await;
            if let Some(before) = before {
                // Whether it failed is in its log.
                let _ = before.await;
            }
            push.events(session, &events).await;
        };
        self.newest = Some(tokio::spawn(pushing.in_current_span()));
    }

    /// Lets pushes that are far behind catch up, so that a client's commit in the middle of a run
    /// is not pushed before them.
    pub async fn keep_up(&mut self) {
        let Some(newest) = &mut self.newest else {
            return;
        };
        if self.behind_since.elapsed() > PUSH_LAG && !newest.is_finished() {
            let caught_up = tokio::time::timeout(CATCH_UP_TIME, newest).await;
            if caught_up.is_ok() {
                self.newest = None;
            }
        }
    }

    /// Waits for the remaining pushes.
    pub async fn finish(self) {
        let Some(newest) = self.newest else {
            return;
        };
        match tokio::time::timeout(PUSH_TIME, newest).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "push ended early"),
            Err(_) => tracing::warn!("not all followers reached in time"),
        }
    }
}
