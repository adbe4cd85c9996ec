//! Concurrent answers to one question: one is accepted, and the others learn by whom it was
//! answered.

use futures::future::{join, join_all};
use serde_json::{Value, json};
use tests::model::model;
use tests::people::{answer, approval, question};
use tests::rest::{count, create_with, record, start, until};
use tests::stack::shared_workers;
use tests::ws::{Client, connect};
use uuid::Uuid;

/// The reply to one of the answers: success, or the code and the message of the refusal.
type PublishedStatus = Result<(), (String, String)>;

async fn by_rest(session: &str, open: &Value, body: &Value) -> PublishedStatus {
    let reply = answer(session, open, body).await;
    let word = |field: &str| reply.body[field].as_str().unwrap().to_owned();
    match reply.status {
        200 => Ok(()),
        _ => Err((word("code"), word("detail"))),
    }
}

async fn by_socket(client: &mut Client, open: &Value, body: &Value) -> PublishedStatus {
    let mut frame = body.clone();
    frame["type"] = json!("approval_response");
    frame["approval_id"] = open["approval_id"].clone();
    let reply = client.answer(&frame).await;
    let word = |field: &str| reply["data"][field].as_str().unwrap().to_owned();
    match reply["event_type"].as_str() {
        Some("approval_received") => Ok(()),
        _ => Err((word("code"), word("message"))),
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn one_of_twenty_concurrent_answers_wins_and_the_others_name_it() {
    model();
    let _calm = shared_workers().await;
    let config = json!({"hitlVariant": "error_recovery"});
    let session = create_with("hitl-interactive", &config).await;
    let word = Uuid::now_v7();
    let task = format!("[[steps=2]] [[status=400 times=1 at=step_1 id={word}]]");
    start(&session, &task).await;
    let open = question(&session, "on_error").await;
    let mut clients = join_all((0..10).map(|_| async {
        let mut client = connect(&Uuid::now_v7().to_string()).await;
        client.follow(&session).await;
        client
    }))
    .await;
    let choice = |place: usize| ["retry", "skip", "abort"][place % 3];
    let body =
        |place: usize| json!({"resolution": choice(place), "feedback": format!("I am {place}.")});
    let (open, session, bodies) = (
        &open,
        session.as_str(),
        (0..20).map(body).collect::<Vec<_>>(),
    );
    let frames = clients.iter_mut().zip(&bodies);
    let frames = frames.map(|(client, body)| by_socket(client, open, body));
    let calls = bodies[10..].iter().map(|body| by_rest(session, open, body));
    let (told_there, told_here) = join(join_all(frames), join_all(calls)).await;

    let kept = approval(session, &open["approval_id"]).await;
    let resolution = kept["resolution"].as_str().unwrap();
    let sentence = format!("The approval was already answered by local with {resolution}");
    for (place, told) in told_there.into_iter().chain(told_here).enumerate() {
        let (resolution_is, feedback_is) = (
            choice(place) == resolution,
            bodies[place]["feedback"] == kept["feedback"],
        );
        let refused = |end: &str| Err(("approval_resolved".to_owned(), format!("{sentence}{end}")));
        let expected = match (resolution_is, feedback_is) {
            (true, true) => Ok(()),
            (true, false) => refused(" and other feedback or modifications."),
            (false, _) => refused("."),
        };
        assert_eq!(told, expected, "{place}");
    }
    until(session, "an end", |detail| detail["active_run"].is_null()).await;
    let events = record(session).await;
    assert_eq!(count(&events, "approval_received"), 1);
    let said: Vec<&Value> = events
        .iter()
        .filter(|event| event["data"]["approval_id"] == open["approval_id"])
        .filter(|event| event["event_type"] == "user_message")
        .map(|event| &event["data"]["content"])
        .collect();
    assert_eq!(
        said,
        [&kept["feedback"]],
        "exactly one answer must be accepted"
    );
}
