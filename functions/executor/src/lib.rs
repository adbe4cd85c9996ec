//! Consumes the queue: one message is one slice of a run, of a purge or of a replay.
//!
//! A slice takes the lease, does one step after another while there is time, and commits the result
//! of each together with the start of the next. At its end the run is done, waits, or continues in
//! the next message. In the order of calls: `slice` reads the session, `load` reads the run,
//! `leased_run` is the loop, `ask` calls an agent, and `document_work` does a document task.

mod ask;
mod deadline;
mod document_work;
mod event_pusher;
mod leased_run;
mod load;
mod slice;

use std::time::Duration;

use agents::Agents;
use documents::Artifacts;
use lambda_kit::websocket::continue_replay;
use lambda_kit::{Outbox, Problem, QueueMessage, UnknownMessage, now};
use session::{DueAction, SessionId};
use session_manager::{Actor, Purged, ReadError, SessionManager};

pub use deadline::Deadline;
pub use document_work::{PageReader, Papers};

/// The pause before a purge continues in another message, so that a purge without progress is no
/// busy loop.
const PURGE_PAUSE: Duration = Duration::from_secs(1);

/// The clients and settings of a slice, made once per process.
#[derive(Debug)]
pub struct Executor {
    /// The sessions.
    pub sessions: SessionManager,
    /// The agents.
    pub agents: Agents,
    /// The bucket, for contents above 32 KiB and for documents.
    pub artifacts: Artifacts,
    /// Access to arXiv.
    pub papers: Papers,
    /// Reads documents and images of their pages.
    pub pages: PageReader,
    /// Push and queue.
    pub outbox: Outbox,
    /// What a run may cost, in US dollars.
    pub max_cost_usd_per_run: Option<f64>,
}

impl Executor {
    /// Handles a message.
    ///
    /// # Errors
    /// A temporary failure. The queue delivers the message again.
    pub async fn handle(
        &self,
        message: Result<QueueMessage, UnknownMessage>,
        deadline: Deadline,
    ) -> Result<(), Problem> {
        match message {
            Ok(QueueMessage::Wake(wake)) => self.slice(wake, deadline).await,
            Ok(QueueMessage::Purge(session)) => self.purge(session, deadline).await,
            Ok(QueueMessage::Replay(replay)) => {
                continue_replay(&self.sessions, &self.outbox, replay, now()).await
            }
            // A retry cannot succeed and would delay other messages.
            Err(unknown) => {
                tracing::error!(error = %unknown, "message dropped");
                Ok(())
            }
        }
    }

    /// Removes the items and files of a deleted session until the time is up. The next message
    /// continues.
    async fn purge(&self, session: SessionId, deadline: Deadline) -> Result<(), Problem> {
        let now = now();
        let until = deadline.last_call();
        let state = self.sessions.state(session, &Actor::System).await;
        let owner = state.as_ref().ok().map(|state| state.owner.clone());
        let files_are_gone = match state {
            Ok(state) if self.sessions.rules().recover(&state, now) == Some(DueAction::Purge) => {
                let files = self.artifacts.of(&state.owner, session);
                files
                    .delete_all(until)
                    .await
                    .map_err(Problem::unavailable)?
            }
            Ok(_) => {
                tracing::warn!(%session, "purge not due");
                return Ok(());
            }
            // The TTL has removed the last entry, and with it the owner whose artifacts these were.
            Err(ReadError::NoSuchSession) => true,
            Err(error) => return Err(error.into()),
        };
        let purged = match files_are_gone {
            true => self.sessions.purge(session, now, until).await?,
            false => Purged::More,
        };
        match purged {
            Purged::Done => tracing::info!(%session, "session purged"),
            Purged::More => {
                let rest = QueueMessage::Purge(session);
                self.outbox
                    .enqueue_after(rest, owner.as_ref(), PURGE_PAUSE)
                    .await;
            }
            Purged::NotDue => tracing::warn!(%session, "purge not due"),
        }
        Ok(())
    }
}
