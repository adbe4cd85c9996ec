//! SQS: batches of messages, and the queues that take them.

mod batch;
mod queue;
#[cfg(test)]
mod stub;

use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Context, LambdaEvent, run, service_fn};

use crate::{Error, Outbox, Problem};

pub use queue::{QueueError, QueueMessage, QueueUrls, Queues, UnknownMessage};

/// The delivery of a message.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The invocation that has it.
    pub context: &'a Context,
    /// The time since it was sent, its delay included; zero where the queue does not say.
    pub waited: Duration,
}

/// Serves batches until the process ends. The records of a batch are handled at the same time.
///
/// `handle` gets a record's message, or the reason why it has none. After an error of `handle`, or
/// a panic, the record is delivered again.
///
/// # Errors
/// When the runtime's API is gone.
pub async fn serve<H, F>(handle: H) -> Result<(), Error>
where
    H: Fn(Result<QueueMessage, UnknownMessage>, Arrival<'_>) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    serve_batches(None, handle).await
}

/// The same for a queue of runs. One that must be [alone](session::Wake::alone) is handled without
/// the other records of its batch, which are sent again.
///
/// # Errors
/// When the runtime's API is gone.
pub async fn serve_runs<H, F>(outbox: &Outbox, handle: H) -> Result<(), Error>
where
    H: Fn(Result<QueueMessage, UnknownMessage>, Arrival<'_>) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    serve_batches(Some(outbox), handle).await
}

async fn serve_batches<H, F>(outbox: Option<&Outbox>, handle: H) -> Result<(), Error>
where
    H: Fn(Result<QueueMessage, UnknownMessage>, Arrival<'_>) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        // Boxed: the compiler's limit on nested types is below a handler's futures in the
        // runtime's.
        let handle = |message, arrival: Arrival<'_>| Box::pin(handle(message, arrival));
        let (records, context) = (event.payload.records, &event.context);
        Ok::<_, Error>(batch::handle(records, context, outbox, handle).await)
    }))
    .await
}
