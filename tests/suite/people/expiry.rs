//! Expired questions: without an answer a question expires, and the effect depends on the
//! checkpoint.
//!
//! The stack's questions stay open for a week. Therefore an executor in this process asks questions
//! that expire after one second. The stack's own sweeper lets them expire, and its executor
//! continues the runs.

use std::time::Duration;

use serde_json::{Value, json};
use session_manager::Actor;
use tests::model::model;
use tests::people::{answer, approval, question};
use tests::rest::{count, create_with, newest_run, post_empty, record, until, until_status};
use tests::stack::{shared_workers, stack};
use tests::ws::connect;
use uuid::Uuid;

use crate::in_process::{executor, run, work};

/// A session whose question has expired without an answer.
async fn unanswered(mode: &str, config: &Value, checkpoint: &str) -> (String, Value) {
    let endpoint = stack().get("AWS_ENDPOINT_URL_DYNAMODB");
    let executor = executor(endpoint, &[("APPROVAL_TTL_SECONDS", "1")]).await;
    let session = create_with(mode, config).await;
    let task = run("Say when the tide comes. It comes twice a day.");
    let id = session.parse().unwrap();
    let state = executor.sessions.state(id, &Actor::System).await.unwrap();
    let started = executor
        .sessions
        .start_run(state, &task, None, None, lambda_kit::now());
    let state = started.await.unwrap().state;
    let state = work(&executor, state).await;
    let asked = state.approval.expect("a question");
    assert_eq!(asked.checkpoint, checkpoint);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let open = approval(&session, &json!(asked.id)).await;
    (session, open)
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_late_answer_is_refused_and_a_resume_asks_again() {
    model();
    let _calm = shared_workers().await;
    let config = json!({"checkpoints": "after_planning", "nPlanReviews": 0});
    let (session, lapsed) = unanswered("planning-control", &config, "during_planning").await;
    let yes = json!({"resolution": "approve"});
    let late = answer(&session, &lapsed, &yes).await;
    assert_eq!(
        late.problem(),
        (410, "approval_expired"),
        "before the sweeper has run"
    );
    stack().sweep().await;
    let detail = until(&session, "expiry", |detail| {
        detail["suspend_reason"] == "approval_expired"
    })
    .await;
    assert_eq!(detail["status"], "suspended");
    assert_eq!(newest_run(&session).await["status"], "paused");
    let row = approval(&session, &lapsed["approval_id"]).await;
    assert_eq!(
        (&row["status"], &row["resolution"]),
        (&json!("expired"), &Value::Null)
    );
    let late = answer(&session, &lapsed, &yes).await;
    assert_eq!(
        late.problem(),
        (410, "approval_expired"),
        "after the sweeper has run"
    );
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    client.follow(&session).await;
    let frame = json!({"type": "approval_response", "approval_id": lapsed["approval_id"], "approved": true});
    assert_eq!(
        client.answer(&frame).await["data"]["code"],
        "approval_expired"
    );

    post_empty(&format!("/api/sessions/{session}/resume"))
        .await
        .ok();
    let again = question(&session, "during_planning").await;
    assert_ne!(again["approval_id"], lapsed["approval_id"]);
    assert_eq!(again["options"], lapsed["options"]);
    assert_eq!(
        again["context"], lapsed["context"],
        "the plan is still the same"
    );
    answer(&session, &again, &yes).await.ok();
    until_status(&session, "completed").await;
    let events = record(&session).await;
    let times = [
        "approval_requested",
        "approval_expired",
        "approval_received",
    ];
    assert_eq!(times.map(|kind| count(&events, kind)), [2, 1, 2]);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_turn_without_a_further_message_ends() {
    model();
    let _calm = shared_workers().await;
    let config = json!({"conversational": true});
    let (session, lapsed) = unanswered("copilot", &config, "copilot_turn").await;
    stack().sweep().await;
    until_status(&session, "completed").await;
    assert_eq!(newest_run(&session).await["status"], "completed");
    let row = approval(&session, &lapsed["approval_id"]).await;
    assert_eq!(row["status"], "expired");
    let events = record(&session).await;
    assert_eq!(count(&events, "approval_expired"), 1);
    assert_eq!(count(&events, "complete"), 1);
}
