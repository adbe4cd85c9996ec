//! The WebSocket: the first frame, attach and replay, all other frames, and lost frames.

use std::time::Duration;

use serde_json::{Value, json};
use tests::model::{calls, model};
use tests::rest::{count, create, detail, get, post_empty, record, start, until, until_status};
use tests::stack::{eventually, shared_workers};
use tests::ws::connect;
use uuid::Uuid;

fn task_id() -> String {
    Uuid::now_v7().to_string()
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_first_frame_creates_a_session_with_each_event_seen_once() {
    model();
    let _calm = shared_workers().await;
    let task_id = task_id();
    let mut client = connect(&task_id).await;
    assert!(
        client.is_silent_for(Duration::from_millis(500)).await,
        "nothing is sent before the first frame"
    );
    let status = client
        .start("count the lighthouses", json!({"mode": "planning-control"}))
        .await;
    let session = status["data"]["session_id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&status["session_id"], &status["seq"]),
        (&json!(session), &json!(1))
    );
    client.until("complete").await;
    let record = record(&session).await;
    assert_eq!(
        client.events, record,
        "the pushed events must equal those of REST"
    );
    let detail = detail(&session).await;
    assert_eq!(detail["name"], "count the lighthouses");
    assert_eq!(detail["mode"], "planning-control");
    let runs = get(&format!("/api/sessions/{session}/runs")).await.ok();
    assert_eq!(runs["runs"][0]["task_id"], task_id);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_session_can_have_every_mode_and_one_shot_is_the_default() {
    model();
    let _calm = shared_workers().await;
    for mode in [
        "copilot",
        "hitl-interactive",
        "idea-generation",
        "ocr",
        "arxiv",
        "enhance-input",
        "one-shot",
    ] {
        let mut client = connect(&task_id()).await;
        let status = client
            .start(
                "a task",
                json!({"mode": mode, "sessionName": format!("my {mode}"), "document": "scan.pdf"}),
            )
            .await;
        let detail = detail(status["data"]["session_id"].as_str().unwrap()).await;
        assert_eq!(
            (&detail["mode"], &detail["name"]),
            (&json!(mode), &json!(format!("my {mode}")))
        );
    }
    let mut client = connect(&task_id()).await;
    let status = client.start("a task", json!({})).await;
    assert_eq!(
        detail(status["data"]["session_id"].as_str().unwrap()).await["mode"],
        "one-shot"
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn one_task_id_from_ten_sockets_runs_once_and_all_see_its_end() {
    model();
    let _calm = shared_workers().await;
    let task_id = task_id();
    let word = Uuid::now_v7();
    let task = format!("[[slow=1000 id={word}]]");
    let follow = || async {
        let mut client = connect(&task_id).await;
        let status = client.start(&task, json!({"mode": "one-shot"})).await;
        client.until("complete").await;
        (status["data"]["session_id"].clone(), client.events)
    };
    let seen = futures::future::join_all((0..10).map(|_| follow())).await;
    for (session, events) in &seen {
        assert_eq!(session, &seen[0].0);
        assert_eq!(events, &seen[0].1);
    }
    assert_eq!(calls(&word.to_string()).len(), 1);
    let runs = get(&format!(
        "/api/sessions/{}/runs",
        seen[0].0.as_str().unwrap()
    ))
    .await
    .ok();
    assert_eq!(runs["total_runs"], 1);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_reconnecting_client_gets_the_whole_record_and_no_second_run() {
    model();
    let _calm = shared_workers().await;
    let task_id = task_id();
    let word = Uuid::now_v7();
    let task = format!("[[steps=2]] [[slow=300 id={word}]]");
    let mut first = connect(&task_id).await;
    let config = json!({"mode": "planning-control"});
    let session = first.start(&task, config.clone()).await["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    drop(first);
    until_status(&session, "completed").await;
    let mut second = connect(&task_id).await;
    let status = second.start(&task, config).await;
    assert_eq!(
        (&status["session_id"], &status["seq"]),
        (&json!(session), &Value::Null)
    );
    second.until("replay_end").await;
    assert_eq!(second.events, record(&session).await);
    assert_eq!(
        calls(&word.to_string())
            .iter()
            .filter(|call| *call == "step_1")
            .count(),
        1
    );
    let error = second
        .ask(&json!({"task": "another", "config": {}}), "error")
        .await;
    assert_eq!(error["data"]["code"], "task_id_reused");
    assert_eq!(count(&record(&session).await, "user_message"), 1);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_further_task_continues_the_named_session() {
    model();
    let _calm = shared_workers().await;
    for key in ["session_id", "copilotSessionId"] {
        let session = create("planning-control").await;
        start(&session, "[[steps=1]]").await;
        until_status(&session, "completed").await;
        let mut client = connect(&task_id()).await;
        let status = client
            .start(
                "[[steps=1]] and more",
                json!({"mode": "planning-control", key: session}),
            )
            .await;
        assert_eq!(status["session_id"], json!(session));
        client.until("complete").await;
        until_status(&session, "completed").await;
        assert_eq!(count(&record(&session).await, "user_message"), 2);
        let mut wrong = connect(&task_id()).await;
        let error = wrong
            .ask(
                &json!({"task": "x", "config": {"mode": "copilot", key: session}}),
                "error",
            )
            .await;
        assert_eq!(error["data"]["code"], "mode_mismatch");
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_first_frame_attaches_to_the_unfinished_run_of_its_session() {
    model();
    let _calm = shared_workers().await;
    let mut first = connect(&task_id()).await;
    let task = "\nWatch the sea. [[steps=2]] [[slow=1500]]\nTwice.";
    let config = json!({"mode": "planning-control"});
    let session = first.start(task, config).await["session_id"].clone();
    let id = session.as_str().unwrap();
    assert_eq!(
        detail(id).await["name"],
        "Watch the sea. [[steps=2]] [[slow=1500]]"
    );
    let mut attached = Vec::new();
    for key in ["copilotSessionId", "session_id"] {
        let mut client = connect(&task_id()).await;
        let frame = json!({"task": "Resume", "config": {"mode": "planning-control", key: session}});
        let status = client.ask(&frame, "status").await;
        assert_eq!(
            (&status["seq"], &status["session_id"]),
            (&Value::Null, &session)
        );
        let message = status["data"]["message"].as_str().unwrap();
        assert!(message.contains("has not ended"), "{message}");
        attached.push(client);
    }
    for mut client in attached {
        client.until("complete").await;
        assert_eq!(client.events, record(id).await);
    }
    assert_eq!(count(&record(id).await, "user_message"), 1);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn subscribe_replays_from_a_position_and_continues_live() {
    model();
    let _calm = shared_workers().await;
    let session = create("planning-control").await;
    start(&session, "[[steps=2]] [[slow=500]]").await;
    until(&session, "step 1 begins", |detail| {
        detail["current_step"] == 1
    })
    .await;
    let mut client = connect(&task_id()).await;
    let end = client
        .ask(
            &json!({"type": "subscribe", "session_id": session}),
            "replay_end",
        )
        .await;
    assert_eq!(
        (&end["data"]["more"], &end["seq"]),
        (&json!(false), &Value::Null)
    );
    client.until("complete").await;
    assert_eq!(client.events, record(&session).await);
    let pong = client.ask(&json!({"type": "ping"}), "pong").await;
    assert_eq!(pong["data"]["last_seq"], client.events.len());
    let state = client
        .ask(
            &json!({"type": "request_state", "after": 3}),
            "workflow_state_changed",
        )
        .await;
    assert_eq!(
        (&state["data"]["status"], &state["data"]["phase"]),
        (&json!("completed"), &json!("completed"))
    );
    assert_eq!(
        client.until("replay_end").await["data"]["last_seq"],
        client.events.len()
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn pause_resume_and_cancel_reach_the_run_of_the_followed_session() {
    model();
    let _calm = shared_workers().await;
    let id = task_id();
    let mut client = connect(&id).await;
    let task = "[[steps=3]] [[slow=800]]";
    let status = client
        .start(task, json!({"mode": "planning-control"}))
        .await;
    let session = status["session_id"].as_str().unwrap().to_owned();
    client.until("step_start").await;
    client
        .ask(&json!({"type": "pause"}), "workflow_paused")
        .await;
    assert_eq!(detail(&session).await["suspend_reason"], "user_requested");
    client.until("step_complete").await;
    client
        .ask(&json!({"type": "resume"}), "workflow_resumed")
        .await;
    client.until("step_start").await;
    // Existing clients take their task id for the id of the run.
    let own = json!({"type": "cancel", "run_id": id});
    client.send(&own).await;
    loop {
        let frame = client.next().await.unwrap();
        if frame["event_type"] == "workflow_cancelled" {
            break;
        }
    }
    let error = client.ask(&json!({"type": "cancel"}), "error").await;
    assert_eq!(error["data"]["code"], "run_not_found");
    let one_shot = create("one-shot").await;
    start(&one_shot, "[[slow=2000]]").await;
    client
        .ask(
            &json!({"type": "subscribe", "session_id": one_shot}),
            "replay_end",
        )
        .await;
    let error = client.ask(&json!({"type": "pause"}), "error").await;
    assert_eq!(error["data"]["code"], "run_cannot_pause");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_open_socket_receives_the_changes_made_by_rest() {
    let session = create("copilot").await;
    let mut client = connect(&task_id()).await;
    client
        .ask(
            &json!({"type": "subscribe", "session_id": session}),
            "replay_end",
        )
        .await;
    post_empty(&format!("/api/sessions/{session}/suspend"))
        .await
        .ok();
    let status = client.until("status").await;
    assert_eq!(status["seq"], 2);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_closed_connection_is_removed_and_stops_no_run() {
    model();
    let _calm = shared_workers().await;
    let mut client = connect(&task_id()).await;
    let status = client.start("[[slow=1500]]", json!({})).await;
    let session = status["session_id"].as_str().unwrap().to_owned();
    drop(client);
    until_status(&session, "completed").await;
    eventually("no connection is left", || async {
        let items = tests::stack::stack().items(&session).await;
        let left = items
            .iter()
            .any(|item| item["SK"].as_s().unwrap().starts_with("CONNECTION#"));
        (!left).then_some(())
    })
    .await;
}
