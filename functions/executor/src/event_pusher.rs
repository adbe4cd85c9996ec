//! Pushes events beside the next step's work: commits are handed over, pushed in their order, and waited for at the end,
//! because nothing runs after a Lambda's answer.

use std::time::Duration;

use lambda_kit::Push;
use session::{Envelope, SessionId};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

pub(crate) struct EventPusher {
    commits: UnboundedSender<Vec<Envelope>>,
    pushing: JoinHandle<()>,
}

impl EventPusher {
    pub fn start(push: Push, session: SessionId) -> Self {
        let (commits, mut waiting) = unbounded_channel::<Vec<Envelope>>();
        let pushing = tokio::spawn(async move {
            while let Some(mut events) = waiting.recv().await {
                // Whatever came meanwhile goes along: one look at the followers serves all.
                while let Ok(more) = waiting.try_recv() {
                    events.extend(more);
                }
                push.events(session, &events).await;
            }
        });
        Self { commits, pushing }
    }

    pub fn push(&self, events: Vec<Envelope>) {
        // The other end lives until `finish`.
        let _ = self.commits.send(events);
    }

    /// Waits for what is still on its way, but not longer than that.
    pub async fn finish(self, time: Duration) {
        drop(self.commits);
        match tokio::time::timeout(time, self.pushing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "push ended early"),
            Err(_) => tracing::warn!("not all followers reached in time"),
        }
    }
}
