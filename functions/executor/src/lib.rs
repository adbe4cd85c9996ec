//! Consumes the queue: one message is one slice of a run, or of a purge.
//!
//! A slice takes the lease, does step after step while there is time, and commits what came of each together with the
//! beginning of the next; then the run is done, waits, or goes on in the next message. `slice` takes the
//! lease, `load` reads what it must know before, `held` is the loop, `ask` one call of an agent,
//! `units` one unit of a document, `slot` the waiting for arXiv, `live` the push beside the next step's work.

mod ask;
mod deadline;
mod event_pusher;
mod leased_run;
mod load;
mod slice;
mod slot;
mod units;

use std::time::Duration;

use agents::Agents;
use documents::Artifacts;
use lambda_kit::{Outbox, Problem, QueueMessage, UnknownMessage, now};
use session::{DueAction, SessionId};
use session_manager::{Actor, Purged, ReadError, SessionManager};

pub use deadline::Deadline;
pub use units::{PageReader, Papers};

/// How long a purge waits before it goes on in another message, so that one that cannot get on does not turn hot.
const BETWEEN_PURGES: Duration = Duration::from_secs(1);

/// All that a slice works with, made once per process.
#[derive(Debug)]
pub struct Executor {
    /// The sessions.
    pub sessions: SessionManager,
    /// Who is asked.
    pub agents: Agents,
    /// Where contents above 32 KiB go, and the files of documents.
    pub artifacts: Artifacts,
    /// Papers at arXiv.
    pub papers: Papers,
    /// Documents, and images of their pages.
    pub pages: PageReader,
    /// Push and queue.
    pub outbox: Outbox,
}

impl Executor {
    /// Does what a message asks for.
    ///
    /// # Errors
    /// Trouble that may pass: the message comes again.
    pub async fn handle(
        &self,
        message: Result<QueueMessage, UnknownMessage>,
        deadline: Deadline,
    ) -> Result<(), Problem> {
        match message {
            Ok(QueueMessage::Wake(wake)) => self.slice(wake, deadline).await,
            Ok(QueueMessage::Purge(session)) => self.purge(session, deadline).await,
            // It will say the same the next time: trying again would only delay the others.
            Err(unknown) => {
                tracing::error!(error = %unknown, "message dropped");
                Ok(())
            }
        }
    }

    /// Removes what a deleted session left behind, as much as the time allows; the rest in the next message.
    async fn purge(&self, session: SessionId, deadline: Deadline) -> Result<(), Problem> {
        let now = now();
        let until = deadline.last_call();
        let emptied = match self.sessions.state(session, &Actor::System).await {
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
            // Its last entry has left by its TTL; whose artifacts there were, nobody knows any more.
            Err(ReadError::NoSuchSession) => true,
            Err(error) => return Err(error.into()),
        };
        let purged = match emptied {
            true => self.sessions.purge(session, now, until).await?,
            false => Purged::More,
        };
        match purged {
            Purged::Done => tracing::info!(%session, "session purged"),
            Purged::More => {
                let rest = QueueMessage::Purge(session);
                self.outbox.enqueue_after(rest, BETWEEN_PURGES).await;
            }
            Purged::NotDue => tracing::warn!(%session, "purge not due"),
        }
        Ok(())
    }
}
