//! Takes what the queue gave up on, and leaves no run running for ever.
//!
//! A dead letter is looked at like anything that is overdue: one of an older epoch, or of a run that a worker holds, is old
//! news and changes nothing; otherwise the run fails with its reason, and the session waits for a person.

use lambda_kit::recover::dead_letter;
use lambda_kit::{Outbox, Problem, QueueMessage, UnknownMessage, now};
use session_manager::SessionManager;

/// All that is worked with, made once per process.
#[derive(Debug)]
pub struct DeadLetters {
    /// The sessions.
    pub sessions: SessionManager,
    /// Push and queue.
    pub outbox: Outbox,
}

impl DeadLetters {
    /// Looks at a letter.
    ///
    /// # Errors
    /// Trouble that may pass: the letter comes again.
    pub async fn handle(
        &self,
        message: Result<QueueMessage, UnknownMessage>,
    ) -> Result<(), Problem> {
        match message {
            Ok(QueueMessage::Wake(wake)) => {
                let recovered = dead_letter(&self.sessions, &self.outbox, wake, now()).await?;
                tracing::error!(session = %wake.session_id, run = %wake.run_id, ?recovered, "dead letter");
            }
            // The session stays due, and the sweeper asks again.
            Ok(QueueMessage::Purge(session)) => tracing::error!(%session, "dead letter: purge"),
            Err(unknown) => tracing::error!(error = %unknown, "dead letter of no known shape"),
        }
        Ok(())
    }
}
