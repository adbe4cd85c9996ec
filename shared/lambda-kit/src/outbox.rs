//! Publishes a commit: first the push to followers, then the message to its queue.
//!
//! The commit has succeeded, so an error here fails no request. A client's cursor repairs a lost
//! push, the sweeper a lost message.

use std::time::Duration;

use session::{OwnerId, Timestamp};
use session_manager::Committed;

use crate::{Problem, Push, QueueMessage, Queues, causes, metrics};

/// How long a request waits for all its pushes. The message must be sent within the request's time.
const PUSH_TIME: Duration = Duration::from_secs(3);

/// Publishes commits.
#[derive(Debug, Clone)]
pub struct Outbox {
    push: Push,
    queues: Option<Queues>,
}

impl Outbox {
    /// For functions that start runs.
    pub const fn new(push: Push, queues: Queues) -> Self {
        Self {
            push,
            queues: Some(queues),
        }
    }

    /// For functions that only stop runs, and may not send messages.
    pub const fn without_queues(push: Push) -> Self {
        Self { push, queues: None }
    }

    /// The push, for replies.
    pub const fn push(&self) -> &Push {
        &self.push
    }

    /// Pushes the commit's events to the session's followers in their turn, then wakes a worker
    /// where one is due.
    pub async fn publish(&self, committed: &Committed, now: Timestamp) {
        let state = &committed.state;
        metrics::committed(state.mode, &committed.envelopes);
        tokio::time::sleep(state.push_wait(crate::now())).await;
        let pushing = self.push.events(state.session_id, &committed.envelopes);
        if tokio::time::timeout(PUSH_TIME, pushing).await.is_err() {
            tracing::warn!(session = %state.session_id, "not all followers reached in time");
        }
        if let Some(wake) = state.wake(now) {
            self.enqueue(QueueMessage::Wake(wake), Some(&state.owner))
                .await;
        }
    }

    /// Sends a message about an owner's session at once, or logs why not.
    pub async fn enqueue(&self, message: QueueMessage, owner: Option<&OwnerId>) {
        self.enqueue_after(message, owner, Duration::ZERO).await;
    }

    /// Sends a message that is delivered after `delay` (at most 15 minutes), or logs why not.
    pub async fn enqueue_after(
        &self,
        message: QueueMessage,
        owner: Option<&OwnerId>,
        delay: Duration,
    ) {
        let Some(queues) = &self.queues else {
            tracing::error!(?message, "no queue to send to; the sweeper will");
            return;
        };
        if let Err(error) = queues.send(&message, owner, delay).await {
            tracing::error!(
                ?message,
                causes = causes(&error),
                "message not sent; the sweeper will"
            );
        }
    }

    /// Sends a message that a worker received and does not work on: it is of the other worker, as
    /// during a deployment, or waits for another run of its batch.
    ///
    /// # Errors
    /// `unavailable`. The message stays where it is.
    pub async fn forward(
        &self,
        message: QueueMessage,
        owner: Option<&OwnerId>,
    ) -> Result<(), Problem> {
        let Some(queues) = &self.queues else {
            return Err(Problem::unavailable("no queue to send to"));
        };
        tracing::info!(worker = ?message.worker(), "message handed on");
        let sent = queues.send(&message, owner, Duration::ZERO).await;
        sent.map_err(Problem::unavailable)
    }
}
