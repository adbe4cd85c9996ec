//! Consumes the queue: one message is one slice of a run, or of a purge.
//!
//! A slice takes the lease, does step after step while there is time, and commits what came of each together with the
//! beginning of the next; then the run is done, waits, or goes on in the next message. `slice` is that loop, `load` what it
//! must know before, `ask` one call of an agent, `live` the push beside the next step's work.

mod ask;
mod deadline;
mod live;
mod load;
mod slice;

use agents::Agents;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use documents::Artifacts;
use lambda_kit::{Message, Outbox, Problem, batch, now};
use session::SessionId;
use session_manager::{Actor, Purged, ReadError, SessionManager};

pub use deadline::Deadline;

/// All that a slice works with, made once per process.
#[derive(Debug)]
pub struct Executor {
    /// The sessions.
    pub sessions: SessionManager,
    /// Who is asked.
    pub agents: Agents,
    /// Where contents above 32 KiB go.
    pub artifacts: Artifacts,
    /// Push and queue.
    pub outbox: Outbox,
}

impl Executor {
    /// Handles a batch; a record that failed for a passing reason comes again, by itself.
    pub async fn handle(&self, event: SqsEvent, deadline: Deadline) -> SqsBatchResponse {
        // Boxed: the futures of model and SDK calls are deep, and would be laid out anew in every layer above.
        batch::each(event, async |message| match message {
            Ok(Message::Wake(wake)) => Box::pin(self.slice(wake, deadline)).await,
            Ok(Message::Purge(session)) => Box::pin(self.purge(session, deadline)).await,
            // It will say the same the next time: trying again would only delay the others.
            Err(unknown) => {
                tracing::error!(error = %unknown, "message dropped");
                Ok(())
            }
        })
        .await
    }

    /// Removes what a deleted session left behind, as much as the time allows; the rest in the next message.
    async fn purge(&self, session: SessionId, deadline: Deadline) -> Result<(), Problem> {
        let state = match self.sessions.state(session, &Actor::Engine).await {
            Ok(state) if state.is_deleted() => state,
            Ok(_) | Err(ReadError::NoSuchSession) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.artifacts.delete_all(&state.owner, session).await?;
        match self
            .sessions
            .purge(session, now(), deadline.instant())
            .await?
        {
            Purged::Done => tracing::info!(%session, "session purged"),
            Purged::More => self.outbox.enqueue(Message::Purge(session)).await,
            Purged::NotDue => tracing::warn!(%session, "purge not due"),
        }
        Ok(())
    }
}
