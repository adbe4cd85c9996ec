//! SQS: batches of messages, and the queue that takes them.
//!
//! Each record of a batch is parsed and handled on its own, and only failed records are delivered
//! again. A failed record without an id is logged: the response cannot name it, and an empty name
//! would fail the whole batch.

mod queue;

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{Context, LambdaEvent, run, service_fn};
use session::Timestamp;
use tracing::Instrument as _;

use crate::{Error, Problem, logs, metrics, now};

pub use queue::{Queue, QueueError, QueueMessage, UnknownMessage};

/// The delivery of a message.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The invocation that has it.
    pub context: &'a Context,
    /// The time since it was sent, its delay included; zero where the queue does not say.
    pub waited: Duration,
}

/// Serves batches until the process ends.
///
/// `handle` gets a record's message, or the reason why it has none. After an error of `handle` the
/// record is delivered again.
///
/// # Errors
/// When the runtime's API is gone.
pub async fn serve<H, F>(handle: H) -> Result<(), Error>
where
    H: Fn(Result<QueueMessage, UnknownMessage>, Arrival<'_>) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        // Boxed: the compiler's limit on nested types is below a handler's futures in the
        // runtime's.
        let handle = |message, arrival: Arrival<'_>| Box::pin(handle(message, arrival));
        Ok::<_, Error>(each(event.payload, &event.context, handle).await)
    }))
    .await
}

async fn each<H, F>(event: SqsEvent, context: &Context, handle: H) -> SqsBatchResponse
where
    H: Fn(Result<QueueMessage, UnknownMessage>, Arrival<'_>) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    let mut response = SqsBatchResponse::default();
    for record in event.records {
        let message = QueueMessage::parse(record.body.as_deref().unwrap_or_default());
        let span = logs::request(context);
        if let Ok(message) = &message {
            logs::record(&span, Some(message.session()), message.run());
        }
        let arrival = Arrival {
            context,
            waited: waited(&record),
        };
        let handled = handle(message, arrival).instrument(span.clone()).await;
        metrics::flush();
        let Err(problem) = handled else {
            continue;
        };
        span.in_scope(|| problem.log());
        match record.message_id.filter(|id| !id.is_empty()) {
            Some(id) => response.add_failure(id),
            None => tracing::error!("a failed record has no id"),
        }
    }
    response
}

fn waited(record: &SqsMessage) -> Duration {
    let sent = record.attributes.get("SentTimestamp");
    let millis = sent.and_then(|millis| millis.parse::<i64>().ok());
    millis
        .and_then(|millis| Timestamp::from_micros(millis.checked_mul(1_000)?))
        .map_or(Duration::ZERO, |sent| now().since(sent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::captured::Lines;
    use serde_json::json;

    #[test]
    fn a_message_has_waited_since_it_was_sent() {
        let message = |sent: &str| {
            let record = json!({"attributes": {"SentTimestamp": sent}});
            waited(&serde_json::from_value(record).unwrap())
        };
        let minute_ago = now().as_micros() / 1_000 - 60_000;
        assert_eq!(message(&minute_ago.to_string()).as_secs(), 60);
        for odd in ["", "soon", "9223372036854775807"] {
            assert_eq!(message(odd), Duration::ZERO, "{odd}");
        }
    }

    #[tokio::test]
    async fn a_bad_record_does_not_keep_the_others_from_being_handled() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let body = |json: serde_json::Value| json.to_string();
        let event: SqsEvent = serde_json::from_value(json!({"Records": [
            {"messageId": "1", "body": body(json!({"session_id": id, "run_id": id}))},
            {"messageId": "2", "body": "nonsense"},
            {"messageId": "3", "body": body(json!({"session_id": id, "purge": true}))},
            {"messageId": "4", "body": body(json!({
                "connection_id": "c=", "session_id": id, "replay_id": id, "after": 500,
            }))},
            {"body": "nonsense"},
        ]}))
        .unwrap();
        let (lines, _guard) = Lines::capture();
        let response = each(event, &Context::default(), |message, _| async move {
            match message {
                Ok(QueueMessage::Wake(_) | QueueMessage::Replay(_)) => Ok(()),
                Ok(QueueMessage::Purge(_)) => Err(Problem::unavailable("throttled")),
                Err(unknown) => Err(Problem::internal(unknown)),
            }
        })
        .await;
        let failed: Vec<&str> = response
            .batch_item_failures
            .iter()
            .map(|failure| failure.item_identifier.as_str())
            .collect();
        assert_eq!(failed, ["2", "3"]);
        let about: Vec<_> = lines
            .parsed()
            .into_iter()
            .map(|line| line["span"]["session_id"].clone())
            .collect();
        let (id, none) = (json!(id), json!(null));
        assert_eq!(about, [none.clone(), id.clone(), none.clone(), none]);
    }
}
