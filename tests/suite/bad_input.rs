//! Invalid fields, frames, cursors, ids, sizes and states. Each gets the status and the message of
//! the contract and changes nothing.

use reqwest::Method;
use serde_json::{Value, json};
use tests::rest::{call, create, detail, get, post, record, start};
use tests::ws::{connect, try_connect};
use uuid::Uuid;

const ABSENT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_invalid_create_is_refused_and_leaves_no_session() {
    let marker = Uuid::now_v7().to_string();
    let long = "x".repeat(256);
    let large = json!({"blob": "x".repeat(65 * 1024)});
    for (body, status, code) in [
        ("{".to_owned(), 400, "malformed_json"),
        ("[]".into(), 422, "invalid_field"),
        (json!({}).to_string(), 422, "invalid_field"),
        (json!({"mode": null}).to_string(), 422, "invalid_field"),
        (
            json!({"mode": "two-shot", "name": marker}).to_string(),
            422,
            "invalid_field",
        ),
        (
            json!({"mode": 7, "name": marker}).to_string(),
            422,
            "invalid_field",
        ),
        (
            json!({"mode": "one-shot", "name": 7}).to_string(),
            422,
            "invalid_field",
        ),
        (
            json!({"mode": "one-shot", "name": format!("{marker}{long}")}).to_string(),
            422,
            "invalid_field",
        ),
        (
            json!({"mode": "one-shot", "name": marker, "config": []}).to_string(),
            422,
            "invalid_field",
        ),
        (
            json!({"mode": "one-shot", "name": marker, "config": {"model": 7}}).to_string(),
            422,
            "invalid_config",
        ),
        (
            json!({"mode": "one-shot", "name": marker, "config": {"maxAttempts": 11}}).to_string(),
            422,
            "invalid_config",
        ),
        (
            json!({"mode": "planning-control", "name": marker, "config": {"maxPlanSteps": "3"}})
                .to_string(),
            422,
            "invalid_config",
        ),
        (
            json!({"mode": "one-shot", "name": marker, "config": {"maxCostUsd": 1, "model": "nobody-knows"}}).to_string(),
            422,
            "invalid_config",
        ),
        (
            json!({"mode": "one-shot", "name": marker, "config": large}).to_string(),
            413,
            "too_large",
        ),
    ] {
        let reply = call(Method::POST, "/api/sessions", Some(&body), &[]).await;
        assert_eq!(
            reply.problem(),
            (status, code),
            "{body:.200}: {}",
            reply.body
        );
    }
    let listed = get("/api/sessions?limit=200").await.ok();
    assert!(!listed.to_string().contains(&marker));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_invalid_query_is_refused_with_its_reason() {
    let id = create("copilot").await;
    for (path, status, code) in [
        ("/api/sessions?limit=0", 422, "invalid_query"),
        ("/api/sessions?limit=201", 422, "invalid_query"),
        ("/api/sessions?limit=ten", 422, "invalid_query"),
        ("/api/sessions?limit=7&limit=8", 422, "invalid_query"),
        ("/api/health?a=1&a=1", 422, "invalid_query"),
        (
            &format!("/api/sessions/{id}/events?after=1&limit=2&after=1"),
            422,
            "invalid_query",
        ),
        ("/api/sessions?status=sleeping", 422, "invalid_query"),
        ("/api/sessions?mode=two-shot", 422, "invalid_query"),
        ("/api/sessions?cursor=garbage", 400, "bad_cursor"),
        ("/api/sessions?cursor=", 400, "bad_cursor"),
        (
            &format!("/api/sessions/{id}/history?limit=0"),
            422,
            "invalid_query",
        ),
        (
            &format!("/api/sessions/{id}/history?limit=1001"),
            422,
            "invalid_query",
        ),
        (
            &format!("/api/sessions/{id}/history?before=x"),
            422,
            "invalid_query",
        ),
        (
            &format!("/api/sessions/{id}/events?limit=501"),
            422,
            "invalid_query",
        ),
        (
            &format!("/api/sessions/{id}/events?after=-1"),
            422,
            "invalid_query",
        ),
        (
            &format!("/api/sessions/{id}/runs?cursor=garbage"),
            400,
            "bad_cursor",
        ),
    ] {
        let reply = get(path).await;
        assert_eq!(reply.problem(), (status, code), "{path}: {}", reply.body);
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_malformed_or_unknown_id_is_not_found() {
    for id in [ABSENT, "nonsense", "01890A5D", "%00", "..%2f..", "{}"] {
        for path in ["", "/history", "/events", "/runs"] {
            let reply = get(&format!("/api/sessions/{id}{path}")).await;
            assert_eq!(reply.problem(), (404, "session_not_found"), "{id}{path}");
        }
    }
    let id = create("copilot").await;
    for run in [ABSENT, "nonsense"] {
        let reply = call(
            Method::POST,
            &format!("/api/sessions/{id}/runs/{run}/cancel"),
            None,
            &[],
        )
        .await;
        assert_eq!(reply.problem(), (404, "run_not_found"), "{run}");
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_invalid_run_is_refused_and_the_session_is_unchanged() {
    let id = create("planning-control").await;
    let before = detail(&id).await;
    let path = format!("/api/sessions/{id}/runs");
    for (body, status, code) in [
        ("{".to_owned(), 400, "malformed_json"),
        (json!({}).to_string(), 422, "empty_task"),
        (json!({"task": ""}).to_string(), 422, "empty_task"),
        (json!({"task": " \n\t "}).to_string(), 422, "empty_task"),
        (json!({"task": 7}).to_string(), 422, "invalid_field"),
        (
            json!({"task": "x".repeat(64 * 1024 + 1)}).to_string(),
            413,
            "too_large",
        ),
        (
            json!({"task": "x", "config": {"mode": "one-shot"}}).to_string(),
            422,
            "mode_mismatch",
        ),
        (
            json!({"task": "x", "config": {"nPlanReviews": 6}}).to_string(),
            422,
            "invalid_config",
        ),
    ] {
        let reply = call(Method::POST, &path, Some(&body), &[]).await;
        assert_eq!(
            reply.problem(),
            (status, code),
            "{body:.200}: {}",
            reply.body
        );
    }
    let resume = format!("/api/sessions/{id}/resume");
    let reply = post(
        &resume,
        &json!({"additional_context": "x".repeat(32 * 1024 + 1)}),
    )
    .await;
    assert_eq!(reply.problem(), (413, "too_large"));
    assert_eq!(detail(&id).await, before);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_long_task_becomes_an_artifact_and_a_truncated_message() {
    tests::model::model();
    let _calm = tests::stack::shared_workers().await;
    let id = create("one-shot").await;
    start(&id, &format!("Ä{}", "x".repeat(40 * 1024))).await;
    let message = detail(&id).await["conversation_history"][0]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.starts_with('Ä') && message.len() <= 32 * 1024);
    let event = record(&id)
        .await
        .into_iter()
        .find(|event| event["event_type"] == "user_message")
        .unwrap();
    assert!(
        event["data"]["artifact"].is_string(),
        "{}",
        event["data"]["artifact"]
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_connection_without_a_usable_task_id_is_refused() {
    let long = format!("?task_id={}", "x".repeat(129));
    for query in ["", "?task_id=", long.as_str()] {
        assert!(try_connect(query).await.is_err(), "{query:.40}");
    }
    assert!(
        try_connect(&format!("?task_id={}", "x".repeat(128)))
            .await
            .is_ok()
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_invalid_frame_gets_an_error_and_has_no_other_effect() {
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    let large = json!({"task": "x".repeat(33 * 1024), "config": {}}).to_string();
    for (frame, code) in [
        ("{", "malformed_json"),
        ("7", "invalid_field"),
        ("{}", "unknown_frame"),
        (r#"{"type": "dance"}"#, "unknown_frame"),
        (r#"{"type": 7}"#, "invalid_field"),
        (r#"{"task": 7, "config": {}}"#, "invalid_field"),
        (r#"{"task": " ", "config": {}}"#, "empty_task"),
        (r#"{"task": "x", "config": 7}"#, "invalid_field"),
        (
            r#"{"task": "x", "config": {"mode": "two-shot"}}"#,
            "invalid_field",
        ),
        (
            r#"{"task": "x", "config": {"maxAttempts": "many"}}"#,
            "invalid_config",
        ),
        (
            r#"{"task": "x", "config": {"session_id": "nonsense"}}"#,
            "session_not_found",
        ),
        (r#"{"type": "subscribe"}"#, "invalid_field"),
        (
            r#"{"type": "subscribe", "session_id": "01890a5d-ac96-774b-bcce-b302099a8057"}"#,
            "session_not_found",
        ),
        (
            r#"{"type": "subscribe", "session_id": "01890a5d-ac96-774b-bcce-b302099a8057", "after": -1}"#,
            "invalid_field",
        ),
        (r#"{"type": "request_state"}"#, "no_session_followed"),
        (r#"{"type": "cancel"}"#, "no_session_followed"),
        (large.as_str(), "too_large"),
    ] {
        client.send_text(frame).await;
        let error = client.next().await.unwrap();
        assert_eq!(
            (&error["event_type"], &error["data"]["code"]),
            (&json!("error"), &json!(code)),
            "{frame:.120}: {error}"
        );
        assert_eq!(error["seq"], Value::Null);
        assert!(error["data"]["message"].is_string());
        if frame.contains(r#""task""#) {
            let failed = client.next().await.unwrap();
            assert_eq!(failed["event_type"], "workflow_failed", "{failed}");
            let (run, seq) = (&failed["run_id"], &failed["seq"]);
            assert_eq!((run, seq), (&Value::Null, &Value::Null));
            assert_eq!(failed["data"]["error"], error["data"]["message"]);
        }
    }
}
