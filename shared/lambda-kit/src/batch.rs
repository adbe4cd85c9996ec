//! SQS batches: each record is parsed and handled by itself, and only those that failed come again.
//!
//! A record without an id cannot be named in the answer, and an empty name would fail the whole batch: it is logged.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Context, LambdaEvent, run, service_fn};
use tracing::Instrument as _;

use crate::{Error, Message, Problem, UnknownMessage, logs};

/// Serves batches until the process ends.
///
/// `handle` gets what a record says, or why it says nothing; its error makes the record come again.
///
/// # Errors
/// When the runtime's API is gone.
pub async fn serve<H, F>(handle: H) -> Result<(), Error>
where
    H: Fn(Result<Message, UnknownMessage>, &Context) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        // Boxed: a handler's whole tree of futures within the runtime's is deeper than the compiler likes.
        let handle = |message| Box::pin(handle(message, &event.context));
        Ok::<_, Error>(each(event.payload, &event.context, handle).await)
    }))
    .await
}

async fn each<H, F>(event: SqsEvent, context: &Context, handle: H) -> SqsBatchResponse
where
    H: Fn(Result<Message, UnknownMessage>) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    let mut response = SqsBatchResponse::default();
    for record in event.records {
        let message = Message::parse(record.body.as_deref().unwrap_or_default());
        let span = logs::request(context);
        if let Ok(message) = &message {
            logs::record(&span, Some(message.session()), message.run());
        }
        let handled = handle(message).instrument(span.clone()).await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::captured::Lines;
    use serde_json::json;

    #[tokio::test]
    async fn a_bad_record_does_not_keep_the_others_from_being_handled() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let body = |json: serde_json::Value| json.to_string();
        let event: SqsEvent = serde_json::from_value(json!({"Records": [
            {"messageId": "1", "body": body(json!({"session_id": id, "run_id": id}))},
            {"messageId": "2", "body": "nonsense"},
            {"messageId": "3", "body": body(json!({"session_id": id, "purge": true}))},
            {"body": "nonsense"},
        ]}))
        .unwrap();
        let (lines, _guard) = Lines::capture();
        let response = each(event, &Context::default(), |message| async move {
            match message {
                Ok(Message::Wake(_)) => Ok(()),
                Ok(Message::Purge(_)) => Err(Problem::unavailable("throttled")),
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
        assert_eq!(about, [json!(null), json!(id), json!(null), json!(null)]);
    }
}
