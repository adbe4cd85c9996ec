//! The purge of a deleted session: its items and its files, in slices.

use std::time::Duration;

use lambda_kit::{Problem, QueueMessage, now};
use session::{DueAction, SessionId};
use session_manager::{Actor, Purged, ReadError};

use crate::{Deadline, DocumentTasks, Executor};

/// The pause before a purge continues in another message, so that a purge without progress is no
/// busy loop.
const PAUSE: Duration = Duration::from_secs(1);

impl<T: DocumentTasks> Executor<T> {
    /// Removes the items and files of a deleted session until the time is up. The next message
    /// continues.
    pub(crate) async fn purge(
        &self,
        session: SessionId,
        deadline: Deadline,
    ) -> Result<(), Problem> {
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
                self.outbox.enqueue_after(rest, owner.as_ref(), PAUSE).await;
            }
            Purged::NotDue => tracing::warn!(%session, "purge not due"),
        }
        Ok(())
    }
}
