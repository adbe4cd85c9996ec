//! Consumes a queue: one message is one slice of a run, of a purge or of a replay.
//!
//! A slice takes the lease, does one step after another while there is time, and commits the result
//! of each together with the start of the next. At its end the run is done, waits, or continues in
//! the next message. In the order of calls: `slice` reads the session, `admission` says whether the
//! run may begin, `load` reads the run, `leased_run` is the loop, `ask` calls an agent, and
//! `document_tasks` does a document task.
//!
//! Two functions are made of this crate, one for each [`WorkerKind`](session::WorkerKind):
//! `executor` here, and `document-executor`, which brings the tasks that read documents. A run that
//! comes to a stage of the other worker continues there, by a message to the other queue.

mod admission;
mod ask;
mod deadline;
mod document_tasks;
mod event_pusher;
mod leased_run;
mod load;
mod purge;
mod slice;

use agents::Agents;
use documents::Artifacts;
use lambda_kit::websocket::continue_replay;
use lambda_kit::{Outbox, Problem, QueueMessage, UnknownMessage, now};
use session_manager::SessionManager;

pub use deadline::Deadline;
pub use document_tasks::{
    DocumentTaskError, DocumentTasks, Downloads, PaperEntry, PaperText, TaskContext, TextTasks,
    WorkFiles, billed, count_papers, done, failure, fixed_name, inspected, temporary_failure,
    was_not_called,
};

/// The clients and settings of a worker, made once per process.
#[derive(Debug)]
pub struct Executor<T> {
    /// The sessions.
    pub sessions: SessionManager,
    /// The agents.
    pub agents: Agents,
    /// The bucket, for contents above 32 KiB and for documents.
    pub artifacts: Artifacts,
    /// Push and queues.
    pub outbox: Outbox,
    /// What a run may cost, in US dollars.
    pub max_cost_usd_per_run: Option<f64>,
    /// The document tasks of this kind of worker.
    pub tasks: T,
}

impl<T: DocumentTasks> Executor<T> {
    /// Handles a message. One for the other kind of worker is handed on to its queue.
    ///
    /// # Errors
    /// A temporary failure. The queue delivers the message again.
    pub async fn handle(
        &self,
        message: Result<QueueMessage, UnknownMessage>,
        deadline: Deadline,
    ) -> Result<(), Problem> {
        match message {
            // Its session's state says for which worker it is.
            Ok(QueueMessage::Wake(wake)) => self.slice(wake, deadline).await,
            Ok(message) if message.worker() != T::WORKER => {
                self.outbox.forward(message, None).await
            }
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
}
