//! The records of a batch are handled at the same time, each on its own: with its own span, its own
//! failure and, for a run, its own lease.
//!
//! Only failed records are delivered again. A failed record without an id is logged: the response
//! cannot name it, and an empty name would fail the whole batch.
//!
//! A process that dies takes all runs of its batch with it, and each counts a lost worker. One of
//! them may be the cause and fail at the limit of lost workers. So that no other run fails with it,
//! a run that counts a lost worker is worked on alone, and the other records of its batch are sent
//! again at once. (As failed records they would be delivered again when their visibility time is
//! over, after 18 minutes.) Of the workers that a run counts as lost, another run has ended at most
//! one.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use futures::future::FutureExt as _;
use futures::stream::{FuturesOrdered, StreamExt as _};
use lambda_runtime::Context;
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as NotAnOwner, StrDeserializer};
use session::{OwnerId, Timestamp};
use tracing::Instrument as _;

use super::{Arrival, QueueMessage, UnknownMessage};
use crate::{Outbox, Problem, logs, metrics, now};

/// A record, and what it says.
struct ReceivedRecord {
    record: SqsMessage,
    message: Result<QueueMessage, UnknownMessage>,
}

/// Handles the records of a batch. With an outbox, they are messages of runs.
pub(super) async fn handle<H, F>(
    records: Vec<SqsMessage>,
    context: &Context,
    outbox: Option<&Outbox>,
    handle: H,
) -> SqsBatchResponse
where
    H: Fn(Result<QueueMessage, UnknownMessage>, Arrival<'_>) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    let received: Vec<ReceivedRecord> = records.into_iter().map(ReceivedRecord::of).collect();
    let alone = outbox.and_then(|outbox| {
        let first = received.iter().position(ReceivedRecord::must_be_alone)?;
        Some((first, outbox))
    });
    let handled = received.into_iter().enumerate().map(|(number, record)| {
        let again = alone.filter(|(first, _)| *first != number);
        let span = record.span(context);
        let work = record.work(context, again.map(|(_, outbox)| outbox), &handle);
        work.instrument(span)
    });
    let mut handled: FuturesOrdered<_> = handled.collect();
    let mut response = SqsBatchResponse::default();
    while let Some(failed) = handled.next().await {
        if let Some(id) = failed {
            response.add_failure(id);
        }
    }
    response
}

impl ReceivedRecord {
    fn of(record: SqsMessage) -> Self {
        Self {
            message: QueueMessage::parse(record.body.as_deref().unwrap_or_default()),
            record,
        }
    }

    /// Handles the message, or sends it again by the outbox. Returns the record's id if it failed.
    async fn work<H, F>(
        self,
        context: &Context,
        again: Option<&Outbox>,
        handle: &H,
    ) -> Option<String>
    where
        H: Fn(Result<QueueMessage, UnknownMessage>, Arrival<'_>) -> F,
        F: Future<Output = Result<(), Problem>>,
    {
        let must_be_alone = self.must_be_alone();
        let Self { record, message } = self;
        let arrival = Arrival {
            context,
            waited: waited(&record),
        };
        let work = async {
            match (again, message) {
                (Some(outbox), Ok(message)) => {
                    send_again(message, must_be_alone, owner(&record), outbox).await
                }
                (_, message) => handle(message, arrival).await,
            }
        };
        let result = AssertUnwindSafe(work).catch_unwind().await;
        metrics::flush();
        let problem = match result {
            Ok(Ok(())) => return None,
            Ok(Err(problem)) => problem,
            // The panic hook has printed where and why.
            Err(_) => Problem::internal("a handler panicked"),
        };
        problem.log();
        let id = record.message_id.filter(|id| !id.is_empty());
        if id.is_none() {
            tracing::error!("a failed record has no id");
        }
        id
    }

    fn span(&self, context: &Context) -> tracing::Span {
        let span = logs::request(context);
        if let Ok(message) = &self.message {
            logs::record(&span, Some(message.session()), message.run());
        }
        span
    }

    /// Whether its run has lost a worker. A message that is delivered again says so by itself.
    fn must_be_alone(&self) -> bool {
        let Ok(QueueMessage::Wake(wake)) = &self.message else {
            return false;
        };
        let received = self.record.attributes.get("ApproximateReceiveCount");
        let times = received.and_then(|times| times.parse::<u32>().ok());
        wake.alone || times.is_some_and(|times| times > 1)
    }
}

/// Sends a message again, behind the run that is alone.
async fn send_again(
    mut message: QueueMessage,
    must_be_alone: bool,
    owner: Option<OwnerId>,
    outbox: &Outbox,
) -> Result<(), Problem> {
    if let QueueMessage::Wake(wake) = &mut message {
        // A new message has no earlier deliveries.
        wake.alone = must_be_alone;
    }
    outbox.forward(message, owner.as_ref()).await
}

/// The owner, whose messages are one group.
fn owner(record: &SqsMessage) -> Option<OwnerId> {
    let group = record.attributes.get("MessageGroupId")?;
    let text: StrDeserializer<'_, NotAnOwner> = group.as_str().into_deserializer();
    OwnerId::deserialize(text).ok()
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
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::logs::captured::Lines;
    use crate::sqs::stub::{PURGES, stub_queues};
    use crate::testing::{app, outbox};
    use serde_json::{Value, json};
    use tokio::sync::Barrier;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn id(number: usize) -> String {
        format!("01890a5d-ac96-774b-bcce-{number:012}")
    }

    fn record(number: usize, body: &Value) -> Value {
        json!({"messageId": number.to_string(), "body": body.to_string(),
               "attributes": {"MessageGroupId": "an-owner", "ApproximateReceiveCount": "1"}})
    }

    fn wake(number: usize) -> Value {
        json!({"session_id": id(number), "run_id": ID, "epoch": 1})
    }

    fn records(all: Vec<Value>) -> Vec<SqsMessage> {
        serde_json::from_value(all.into()).unwrap()
    }

    fn failed(response: &SqsBatchResponse) -> Vec<&str> {
        let failures = response.batch_item_failures.iter();
        failures
            .map(|failure| failure.item_identifier.as_str())
            .collect()
    }

    fn number(message: &QueueMessage) -> usize {
        let session = message.session().to_string();
        session[session.len() - 12..].parse().unwrap()
    }

    /// An outbox, and the messages that it sends. Their queue refuses them with another status.
    fn outbox_to(status: u16) -> (Outbox, Arc<Mutex<Vec<Value>>>) {
        let (queues, sent) = stub_queues(status, Some(PURGES));
        (Outbox::new(outbox(&app()).push().clone(), queues), sent)
    }

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
        let replay = json!({
            "connection_id": "c=", "session_id": ID, "replay_id": ID, "after": 500,
        });
        let records = records(vec![
            record(1, &json!({"session_id": ID, "run_id": ID})),
            json!({"messageId": "2", "body": "nonsense"}),
            record(3, &json!({"session_id": ID, "purge": true})),
            record(4, &replay),
            json!({"body": "nonsense"}),
        ]);
        let (lines, _guard) = Lines::capture();
        let context = Context::default();
        let response = handle(records, &context, None, |message, _| async move {
            match message {
                Ok(QueueMessage::Wake(_) | QueueMessage::Replay(_)) => Ok(()),
                Ok(QueueMessage::Purge(_)) => Err(Problem::unavailable("throttled")),
                Err(unknown) => Err(Problem::internal(unknown)),
            }
        });
        assert_eq!(failed(&response.await), ["2", "3"]);
        let about: Vec<_> = lines
            .parsed()
            .into_iter()
            .map(|line| line["span"]["session_id"].clone())
            .collect();
        let (id, none) = (json!(ID), json!(null));
        assert_eq!(about, [none.clone(), id.clone(), none.clone(), none]);
    }

    #[tokio::test]
    async fn the_records_are_handled_at_the_same_time_and_each_logs_about_its_own_session() {
        let batch = records(
            (0..10)
                .map(|number| record(number, &wake(number)))
                .collect(),
        );
        let (lines, _guard) = Lines::capture();
        let (all_here, context) = (Barrier::new(10), Context::default());
        let response = handle(batch, &context, None, |message, _| {
            let all_here = &all_here;
            async move {
                let number = number(&message.unwrap());
                tracing::info!(number, "begins");
                all_here.wait().await;
                tracing::info!(number, "ends");
                match number {
                    3 => Err(Problem::unavailable("throttled")),
                    _ => Ok(()),
                }
            }
        });
        assert_eq!(failed(&response.await), ["3"]);
        let lines = lines.parsed();
        assert_eq!(lines.len(), 21, "two each, and the failure");
        for line in lines {
            let number = line["fields"]["number"].as_u64().unwrap_or(3);
            let id = id(usize::try_from(number).unwrap());
            assert_eq!(line["span"]["session_id"], id, "{line}");
        }
    }

    #[tokio::test]
    async fn a_panic_fails_its_record_alone() {
        let batch = records((0..3).map(|number| record(number, &wake(number))).collect());
        let (lines, _guard) = Lines::capture();
        let context = Context::default();
        let response = handle(batch, &context, None, |message, _| async move {
            let number = number(&message.unwrap());
            tokio::task::yield_now().await;
            assert_ne!(number, 1, "this one panics");
            Ok(())
        });
        assert_eq!(failed(&response.await), ["1"]);
        let [line] = &lines.parsed()[..] else {
            panic!("one line");
        };
        let about = (&line["level"], &line["span"]["session_id"]);
        assert_eq!(about, (&json!("ERROR"), &json!(id(1))));
    }

    #[tokio::test]
    async fn a_run_that_lost_a_worker_is_worked_on_alone_and_the_others_come_again() {
        let mut lost = wake(2);
        lost["alone"] = true.into();
        let mut received = record(3, &wake(3));
        received["attributes"]["ApproximateReceiveCount"] = "2".into();
        let batch = vec![
            record(0, &wake(0)),
            record(1, &json!({"session_id": id(1), "purge": true})),
            record(2, &lost),
            received,
            json!({"messageId": "4", "body": "nonsense"}),
        ];
        let (outbox, sent) = outbox_to(200);
        let handled = Mutex::new(Vec::new());
        let note = |message: Result<QueueMessage, UnknownMessage>, _: Arrival<'_>| {
            let number = message.ok().as_ref().map(number);
            handled.lock().unwrap().push(number);
            async { Ok(()) }
        };
        let context = Context::default();
        let response = handle(records(batch.clone()), &context, Some(&outbox), note).await;
        assert!(failed(&response).is_empty());
        assert_eq!(*handled.lock().unwrap(), [Some(2), None]);
        let sent = std::mem::take(&mut *sent.lock().unwrap());
        let about = sent.iter().map(|message| {
            assert_eq!(message["MessageGroupId"], "an-owner");
            let body = message["MessageBody"].as_str().unwrap();
            let body: Value = serde_json::from_str(body).unwrap();
            (body["session_id"].clone(), body["alone"].clone())
        });
        let (none, alone) = (Value::Null, json!(true));
        assert_eq!(
            about.collect::<Vec<_>>(),
            [
                (id(0).into(), none.clone()),
                (id(1).into(), none),
                (id(3).into(), alone)
            ]
        );
    }

    #[tokio::test]
    async fn a_run_that_lost_a_worker_is_worked_on_where_it_comes_alone() {
        let mut lost = wake(2);
        lost["alone"] = true.into();
        let (outbox, sent) = outbox_to(200);
        let handled = Mutex::new(0);
        let count = |_: Result<QueueMessage, UnknownMessage>, _: Arrival<'_>| {
            *handled.lock().unwrap() += 1;
            async { Ok(()) }
        };
        let batch = records(vec![record(2, &lost)]);
        handle(batch, &Context::default(), Some(&outbox), count).await;
        assert_eq!(*handled.lock().unwrap(), 1);
        assert!(sent.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_message_that_cannot_be_sent_again_stays_in_the_queue() {
        let mut lost = wake(2);
        lost["alone"] = true.into();
        let (outbox, _) = outbox_to(500);
        let batch = records(vec![record(1, &wake(1)), record(2, &lost)]);
        let done = |_: Result<QueueMessage, UnknownMessage>, _: Arrival<'_>| async { Ok(()) };
        let response = handle(batch, &Context::default(), Some(&outbox), done).await;
        assert_eq!(failed(&response), ["1"]);
    }
}
