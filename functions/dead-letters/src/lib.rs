//! Handles dead letters, so that no run stays running for ever.
//!
//! A dead letter of an older epoch, or of a run that a worker has leased, changes nothing. Any
//! other fails its run with a reason, and the session waits for a person.

use lambda_kit::recover::dead_letter;
use lambda_kit::{Outbox, Problem, QueueMessage, UnknownMessage, now};
use session_manager::SessionManager;

/// The clients, made once per process.
#[derive(Debug)]
pub struct DeadLetters {
    /// The sessions.
    pub sessions: SessionManager,
    /// Push and queue.
    pub outbox: Outbox,
}

impl DeadLetters {
    /// Handles a dead letter.
    ///
    /// # Errors
    /// A temporary failure. The queue delivers the letter again.
    pub async fn handle(
        &self,
        message: Result<QueueMessage, UnknownMessage>,
    ) -> Result<(), Problem> {
        match message {
            Ok(QueueMessage::Wake(wake)) => {
                let recovered = dead_letter(&self.sessions, &self.outbox, wake, now()).await?;
                tracing::error!(session = %wake.session_id, run = %wake.run_id, ?recovered, "dead letter");
            }
            // The session stays due, so the sweeper sends the message again.
            Ok(QueueMessage::Purge(session)) => tracing::error!(%session, "dead letter: purge"),
            // Live events go on when the replay's time is up, and the client asks for the gap.
            Ok(QueueMessage::Replay(replay)) => tracing::error!(?replay, "dead letter: replay"),
            Err(unknown) => tracing::error!(error = %unknown, "dead letter of no known shape"),
        }
        Ok(())
    }
}
