//! What follows a commit, in this order: push, then enqueue. Every change by a client goes through here.
//!
//! The commit stands already, so nothing here can fail a request: a push that is lost is repaired by the client's cursor, a
//! message that is lost by the sweeper.

use std::time::Duration;

use session::Timestamp;
use session_manager::Committed;

use crate::{Push, Queue, QueueMessage, causes, metrics};

/// How long a request waits for its pushes, however many follow: within its own time the queue must be reached too.
const PUSH_TIME: Duration = Duration::from_secs(3);

/// Tells the world of a commit.
#[derive(Debug, Clone)]
pub struct Outbox {
    push: Push,
    queue: Option<Queue>,
}

impl Outbox {
    /// For whoever may set a run going.
    pub const fn new(push: Push, queue: Queue) -> Self {
        Self {
            push,
            queue: Some(queue),
        }
    }

    /// For whoever only ever stops things, and has no permission to wake a worker.
    pub const fn without_queue(push: Push) -> Self {
        Self { push, queue: None }
    }

    /// The way to the connections, for replies.
    pub const fn push(&self) -> &Push {
        &self.push
    }

    /// Pushes what was committed to the session's followers, then wakes a worker where one is needed.
    pub async fn publish(&self, committed: &Committed, now: Timestamp) {
        let state = &committed.state;
        metrics::committed(state.mode, &committed.envelopes);
        let pushing = self.push.events(state.session_id, &committed.envelopes);
        if tokio::time::timeout(PUSH_TIME, pushing).await.is_err() {
            tracing::warn!(session = %state.session_id, "not all followers reached in time");
        }
        if let Some(wake) = state.wake(now) {
            self.enqueue(QueueMessage::Wake(wake)).await;
        }
    }

    /// Sends a message at once, or logs why not.
    pub async fn enqueue(&self, message: QueueMessage) {
        self.enqueue_after(message, Duration::ZERO).await;
    }

    /// Sends a message that is delivered after `delay` (at most 15 minutes), or logs why not.
    pub async fn enqueue_after(&self, message: QueueMessage, delay: Duration) {
        let Some(queue) = &self.queue else {
            tracing::error!(?message, "no queue to send to; the sweeper will");
            return;
        };
        if let Err(error) = queue.send(message, delay).await {
            tracing::error!(
                ?message,
                causes = causes(&error),
                "message not sent; the sweeper will"
            );
        }
    }
}
