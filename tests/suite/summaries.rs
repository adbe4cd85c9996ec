//! What a list tells of a session: its progress, the end of its last run, and its name.

use serde_json::{Value, json};
use tests::model::model;
use tests::people::question;
use tests::rest::{
    call, create, create_with, delete, detail, get, patch, post_empty, record, start, until_status,
};
use tests::stack::{eventually, shared_workers};
use uuid::Uuid;

/// The session in the list of its mode.
async fn listed(session: &str, mode: &str) -> Value {
    let page = get(&format!("/api/sessions?mode={mode}&limit=200")).await;
    let sessions = page.ok()["sessions"].take();
    let sessions = sessions.as_array().unwrap();
    let found = sessions
        .iter()
        .find(|shown| shown["session_id"] == *session);
    found.unwrap().clone()
}

fn progress(shown: &Value) -> (Value, Value) {
    (shown["progress"].clone(), shown["last_run_status"].clone())
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_list_tells_waiting_failed_cancelled_and_completed_sessions_apart() {
    model();
    let _calm = shared_workers().await;
    let mode = "planning-control";
    let idle = create(mode).await;
    assert_eq!(
        progress(&listed(&idle, mode).await),
        (json!(null), json!(null))
    );

    let config = json!({"checkpoints": "before_step", "nPlanReviews": 0});
    let waiting = create_with(mode, &config).await;
    let run = start(&waiting, "Measure the tides. [[steps=2]]").await;
    question(&waiting, "before_step").await;
    let shown = (json!(0), json!("waiting_approval"));
    assert_eq!(progress(&listed(&waiting, mode).await), shown);
    assert_eq!(progress(&detail(&waiting).await), shown);
    let path = format!("/api/sessions/{waiting}/runs/{run}/cancel");
    post_empty(&path).await.ok();
    let shown = (json!(0), json!("cancelled"));
    assert_eq!(progress(&listed(&waiting, mode).await), shown);

    let failed = create_with(mode, &json!({"nPlanReviews": 0})).await;
    let task = format!("[[steps=2]] [[status=400 at=step_2 id={}]]", Uuid::now_v7());
    start(&failed, &task).await;
    until_status(&failed, "suspended").await;
    let shown = (json!(50), json!("failed"));
    assert_eq!(progress(&listed(&failed, mode).await), shown);
    assert_eq!(progress(&detail(&failed).await), shown);

    let completed = create_with("one-shot", &json!({})).await;
    start(&completed, "Explain the tides.").await;
    until_status(&completed, "completed").await;
    let shown = (json!(100), json!("completed"));
    assert_eq!(progress(&listed(&completed, "one-shot").await), shown);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_session_is_renamed_and_nothing_else_changes() {
    let body = json!({"mode": "copilot", "name": "Tides"}).to_string();
    let key = Uuid::now_v7().to_string();
    let headers = [("idempotency-key", key.as_str())];
    let made = async || {
        call(
            reqwest::Method::POST,
            "/api/sessions",
            Some(&body),
            &headers,
        )
        .await
    };
    let first = made().await.ok();
    let id = first["session_id"].as_str().unwrap();
    let path = format!("/api/sessions/{id}");
    let mut expected = first.clone();
    expected["name"] = json!("Tides and currents");
    let renamed = patch(&path, &json!({"name": "Tides and currents"})).await;
    assert_eq!(renamed.ok(), expected);
    assert_eq!(patch(&path, &json!({})).await.ok(), expected);
    assert_eq!(detail(id).await["name"], "Tides and currents");
    eventually("the new name in the list", || async {
        (listed(id, "copilot").await == expected).then_some(())
    })
    .await;
    assert_eq!(record(id).await.len(), 1, "a name is no part of the record");
    assert_eq!(made().await.ok(), first, "the first answer again");

    for name in [json!(""), json!(" "), json!(7), json!("x".repeat(256))] {
        let refused = patch(&path, &json!({"name": name})).await;
        assert_eq!(refused.problem(), (422, "invalid_field"), "{name}");
    }
    let broken = call(reqwest::Method::PATCH, &path, Some("{"), &[]).await;
    assert_eq!(broken.problem(), (400, "malformed_json"));
    delete(&path).await.ok();
    let gone = patch(&path, &json!({"name": "Back"})).await;
    assert_eq!(gone.problem(), (404, "session_not_found"));
}
