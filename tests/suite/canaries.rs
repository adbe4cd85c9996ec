//! Contents, configurations, tokens and keys never reach a log. Unique canary words are placed in
//! every text field of clients and models, and all output of the stack is searched for them.

use reqwest::Method;
use serde_json::{Value, json};
use tests::canary::{PLANTED, plant, said};
use tests::model::model;
use tests::people::{answer, question, tell};
use tests::rest::{call, create_with, post, post_empty, record, start, until_status};
use tests::stack::{eventually, shared_workers};
use tests::ws::{connect, try_connect};
use uuid::Uuid;

/// A run with canary words in the task, the config, the name, the answers, the feedback, and the
/// text of a resume.
async fn whole_run() -> String {
    let config = json!({"planInstructions": plant("config"), "hitlVariant": "planning_only", "unknown": plant("config")});
    let session = create_with("hitl-interactive", &config).await;
    let (task, said) = (plant("task"), plant("answer"));
    let task = format!("{task} [[steps=1]] [[slow=2000 at=researcher]] [[say={said}]]");
    start(&session, &task).await;
    tell(&session, "during_planning", "revise", &plant("feedback")).await;
    let open = question(&session, "during_planning").await;
    let path = format!("/api/sessions/{session}");
    // With three slow steps, a late suspend still finds the run active.
    let step =
        json!({"sub_task": plant("plan"), "sub_task_agent": "researcher", "bullet_points": []});
    let body = json!({"resolution": "modify", "modifications": {"plan": vec![step; 3]}});
    answer(&session, &open, &body).await.ok();
    post_empty(&format!("{path}/suspend")).await.ok();
    let addition = json!({"additional_context": plant("context")});
    post(&format!("{path}/resume"), &addition).await.ok();
    session
}

/// A run whose model fails in this way, with a canary word in the failure.
async fn failed_run(trouble: &str) -> String {
    let session = create_with("one-shot", &json!({"maxAttempts": 1})).await;
    start(&session, &format!("{} [[{trouble}]]", plant("task"))).await;
    until_status(&session, "suspended").await;
    session
}

/// Refused requests: a malformed body, invalid fields and query values, words in place of ids, a
/// frame of an unknown type.
async fn refused() {
    let word = plant("refused");
    let (id, key) = (Uuid::now_v7(), plant("idempotency"));
    let token = format!("Bearer {}", plant("token"));
    let headers = [
        ("authorization", token.as_str()),
        ("idempotency-key", key.as_str()),
    ];
    for (method, path, body) in [
        (
            Method::POST,
            "/api/sessions".to_owned(),
            format!("{{{word}"),
        ),
        (
            Method::POST,
            "/api/sessions".into(),
            json!({"mode": word}).to_string(),
        ),
        (
            Method::POST,
            "/api/sessions".into(),
            json!({"mode": "one-shot", "config": {"agent": word}}).to_string(),
        ),
        (
            Method::POST,
            format!("/api/sessions/{id}/runs"),
            json!({"task": word}).to_string(),
        ),
        (
            Method::GET,
            format!("/api/sessions?cursor={word}"),
            String::new(),
        ),
        (
            Method::GET,
            format!("/api/sessions?status={word}"),
            String::new(),
        ),
    ] {
        let body = Some(body.as_str()).filter(|body| !body.is_empty());
        let reply = call(method, &path, body, &headers).await;
        assert!((400..500).contains(&reply.status), "{path}: {reply:?}");
    }
}

/// The same over a WebSocket, with a token in the query and a task id of the client's choice.
async fn socket() {
    let token = plant("token");
    // The handshake is refused if tokens are checked. The canary word reaches the authorizer in
    // both cases.
    let _ = try_connect(&format!("?task_id={}&token={token}", Uuid::now_v7())).await;
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    for frame in [
        format!("{{{}", plant("frame")),
        json!({"type": plant("frame")}).to_string(),
        json!({"type": "subscribe", "session_id": plant("frame")}).to_string(),
        json!({"task": plant("frame"), "config": {"agent": plant("config")}}).to_string(),
    ] {
        client.send_text(&frame).await;
        client.until("error").await;
    }
    // A refused task has an end.
    let end = client.next().await.unwrap();
    assert_eq!(end["event_type"], "workflow_failed");
    let task = format!("{} [[say={}]]", plant("task"), plant("answer"));
    client.start(&task, json!({"mode": "one-shot"})).await;
    client.until("complete").await;
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn no_text_of_people_models_or_tokens_is_printed() {
    model();
    let _calm = shared_workers().await;
    let whole = whole_run().await;
    let failed = [
        failed_run("status=503").await,
        failed_run("garbage").await,
        failed_run("misfit").await,
    ];
    refused().await;
    socket().await;
    until_status(&whole, "completed").await;
    let events = Value::from(record(&whole).await).to_string();
    for place in ["task", "answer", "feedback", "plan", "context"] {
        let word = format!("{PLANTED}-{place}-");
        assert!(events.contains(&word), "{place} was never planted");
    }
    // The search is meaningful only if the log contains the failures.
    let said = eventually("the failures in the log", || async {
        let said = said().await;
        failed.iter().all(|id| said.contains(id)).then_some(said)
    })
    .await;
    let printed: Vec<&str> = said.lines().filter(|line| line.contains(PLANTED)).collect();
    assert!(printed.is_empty(), "{printed:#?}");
}
