//! Handles dead letters, so that no run stays running for ever.
//!
//! A dead letter of an older epoch, or of a run that a worker has leased, changes nothing. Any
//! other fails its run with a reason, and the session waits for a person.

use lambda_kit::recover::dead_letter;
use lambda_kit::{Code, Outbox, Problem, QueueMessage, UnknownMessage, now};
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
    /// A lasting failure is reported once: another delivery would bring the same, and the sweeper
    /// goes on with the session.
    ///
    /// # Errors
    /// A temporary failure. The queue delivers the letter again.
    pub async fn handle(
        &self,
        message: Result<QueueMessage, UnknownMessage>,
    ) -> Result<(), Problem> {
        match message {
            Ok(QueueMessage::Wake(wake)) => {
                let recovered = dead_letter(&self.sessions, &self.outbox, wake, now()).await;
                let recovered = match recovered {
                    Err(problem) if problem.code() != Code::Unavailable => {
                        problem.log();
                        None
                    }
                    recovered => Some(recovered?),
                };
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

#[cfg(test)]
mod tests {
    use lambda_kit::testing::Wire;
    use lambda_kit::testing::wire::{entry, found, queued};
    use serde_json::{Value, json};

    use super::*;

    async fn handled(replies: Vec<(&'static str, Value)>) -> Result<(), Code> {
        let wire = Wire::new(replies);
        let app = wire.app();
        let letters = DeadLetters {
            outbox: wire.outbox(&app),
            sessions: app.sessions,
        };
        let state = queued().state;
        let wake = state.wake(state.created_at).expect("the run is queued");
        let handled = letters.handle(Ok(QueueMessage::Wake(wake))).await;
        handled.map_err(|problem| problem.code())
    }

    /// The newest entry of the letter's session with this attribute.
    fn with(name: &str, value: &str) -> (&'static str, Value) {
        let mut newest = entry(&queued().state);
        newest[name] = value.into();
        ("Query", found(&[newest]))
    }

    #[tokio::test]
    async fn a_letter_of_a_session_that_cannot_be_read_is_taken_and_one_of_an_outage_is_not() {
        assert_eq!(handled(vec![with("state", "{")]).await, Ok(()));
        assert_eq!(handled(vec![]).await, Err(Code::Unavailable));
    }

    #[tokio::test]
    async fn a_run_fails_although_the_events_of_its_session_cannot_be_read() {
        let written = ("TransactWriteItems", json!({}));
        assert_eq!(handled(vec![with("events", "["), written]).await, Ok(()));
    }
}
