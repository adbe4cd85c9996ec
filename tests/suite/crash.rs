//! Killed workers, and messages that are duplicated, late, or lost. Every accepted task ends, and
//! each message and each step is in the record once.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::model::{called, calls, model};
use tests::people::{answer, question};
use tests::rest::{count, create, create_with, detail, get, record, start, until_status};
use tests::stack::{eventually, exclusive_workers, stack};
use uuid::Uuid;

/// Asserts what holds for any finished planned run.
fn assert_whole(events: &[Value], steps: usize) {
    for kind in [
        "workflow_started",
        "dag_created",
        "planning_complete",
        "result",
        "workflow_completed",
        "complete",
    ] {
        assert_eq!(count(events, kind), 1, "{kind}");
    }
    assert_eq!(count(events, "step_complete"), steps);
    assert_eq!(count(events, "step_start"), steps);
    let messages: Vec<String> = events
        .iter()
        .filter(|event| event["event_type"] == "agent_message")
        .map(|event| event["data"].to_string())
        .collect();
    assert_eq!(
        messages.len(),
        steps + 3,
        "planner, reviewer, planner, and one a step"
    );
    let steps_said: HashSet<&String> = messages
        .iter()
        .filter(|text| text.contains("Findings at"))
        .collect();
    assert_eq!(steps_said.len(), steps, "each step's message once");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_run_completes_although_its_worker_is_killed_at_any_time() {
    model();
    let _storm = exclusive_workers().await;
    // During a call of the model, or when the record has an event, which is just before the next
    // call.
    for (call, event) in [
        (Some("planner"), None),
        (Some("plan_reviewer"), None),
        (None, Some("planning_complete")),
        (Some("step_2"), None),
        (None, Some("step_complete")),
    ] {
        let word = Uuid::now_v7().to_string();
        let id = create("planning-control").await;
        start(&id, &format!("[[steps=3]] [[slow=400 id={word}]]")).await;
        match (call, event) {
            (Some(place), _) => called(&word, place).await,
            (None, event) => recorded(&id, event.unwrap()).await,
        }
        stack().kill_executors();
        until_status(&id, "completed").await;
        assert_whole(&record(&id).await, 3);
    }
}

/// Waits until the session's record has an event of this type.
async fn recorded(id: &str, event_type: &str) {
    eventually(event_type, || async {
        (count(&record(id).await, event_type) > 0).then_some(())
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_worker_killed_during_a_step_repeats_only_that_step() {
    model();
    let _storm = exclusive_workers().await;
    let word = Uuid::now_v7().to_string();
    let id = create("planning-control").await;
    start(
        &id,
        &format!("[[steps=3]] [[slow=2000 at=step_2 id={word}]]"),
    )
    .await;
    called(&word, "step_2").await;
    assert!(
        stack().kill_executors() > 0,
        "there must be a worker to kill"
    );
    until_status(&id, "completed").await;
    let events = record(&id).await;
    assert_whole(&events, 3);
    assert_eq!(
        count(&events, "slice_started"),
        1,
        "a second worker took over"
    );
    let made = calls(&word);
    let of = |place: &str| made.iter().filter(|call| *call == place).count();
    assert!(of("step_2") >= 2, "{made:?}");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_killed_worker_loses_nothing_of_any_run_of_its_batch() {
    model();
    let _storm = exclusive_workers().await;
    let word = Uuid::now_v7().to_string();
    let task = format!("[[steps=2]] [[slow=500 id={word}]]");
    // Their messages wait together, and come in one batch.
    stack().take_messages("executor", false).await;
    let begin = async |_| {
        let id = create("planning-control").await;
        start(&id, &task).await;
        id
    };
    let sessions = join_all((0..5).map(begin)).await;
    stack().kill_executors();
    stack().take_messages("executor", true).await;
    let made = eventually("all are at work", || async {
        Some(calls(&word)).filter(|made| made.len() >= sessions.len())
    })
    .await;
    assert_eq!(made[..5], ["planner"; 5], "at the same time");
    let workers = stack().executors().len();
    assert!(workers < sessions.len(), "{workers} workers");
    assert!(stack().kill_executors() > 0);
    for id in &sessions {
        until_status(id, "completed").await;
        assert_whole(&record(id).await, 2);
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_batch_may_hold_anything() {
    model();
    let _storm = exclusive_workers().await;
    let word = Uuid::now_v7().to_string();
    let (one, other, gone) = tokio::join!(
        create("copilot"),
        create("planning-control"),
        create("one-shot")
    );
    let first = start(&one, "Count the boats.").await;
    until_status(&one, "completed").await;
    stack().take_messages("executor", false).await;
    let second = start(&one, &format!("Count the masts. [[id={word}]]")).await;
    let planned = start(&other, "[[steps=2]] [[slow=200]]").await;
    let wake = |id: &String, run: &String| json!({"session_id": id, "run_id": run, "epoch": 0});
    let replay = json!({"connection_id": "none", "session_id": one, "replay_id": Uuid::now_v7(),
                        "after": 0, "tries": 0});
    let bodies = [
        wake(&other, &planned),
        wake(&one, &first),
        wake(&one, &second),
        wake(&one, &second),
        json!({"session_id": gone, "purge": true}),
        replay,
        json!("nonsense"),
        wake(&Uuid::now_v7().to_string(), &planned),
    ];
    let records = bodies.iter().enumerate().map(|(number, body)| {
        json!({"messageId": number.to_string(), "body": body.to_string(),
               "attributes": {"ApproximateReceiveCount": "1"}})
    });
    let batch = json!({"Records": records.collect::<Vec<_>>()});
    let reply = stack().invoke("executor", &batch).await;
    stack().take_messages("executor", true).await;
    assert_eq!(reply, json!({"batchItemFailures": []}));
    until_status(&one, "completed").await;
    until_status(&other, "completed").await;
    assert_whole(&record(&other).await, 2);
    assert_eq!(calls(&word), ["copilot_control", "researcher"]);
    assert_eq!(detail(&gone).await["status"], "active");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn tripled_messages_run_everything_once() {
    model();
    let _storm = exclusive_workers().await;
    let id = create("planning-control").await;
    let run = start(&id, "[[steps=2]] [[slow=300]]").await;
    let body = json!({"session_id": id, "run_id": run}).to_string();
    stack().send(&body, 3).await;
    until_status(&id, "completed").await;
    stack().send(&body, 3).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_whole(&record(&id).await, 2);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_killed_worker_loses_or_doubles_no_question_and_no_answer() {
    model();
    let _storm = exclusive_workers().await;
    let config = json!({"checkpoints": "after_planning", "nPlanReviews": 0});
    let word = Uuid::now_v7().to_string();
    let ask = async |time: u64| {
        let id = create_with("planning-control", &config).await;
        start(&id, &format!("[[steps=1]] [[slow={time} id={word}]]")).await;
        id
    };
    // Each session reaches its question at a different time, so the kill interrupts each at a
    // different point.
    let sessions = join_all([100, 400, 700, 1000].map(ask)).await;
    recorded(&sessions[0], "approval_requested").await;
    stack().kill_executors();
    let asked = sessions.iter().map(|id| question(id, "during_planning"));
    let asked = join_all(asked).await;
    for (id, open) in sessions.iter().zip(&asked) {
        let body = json!({"session_id": id, "run_id": open["run_id"]}).to_string();
        stack().send(&body, 3).await;
        answer(id, open, &json!({"approved": true})).await.ok();
    }
    called(&word, "step_1").await;
    stack().kill_executors();
    for id in &sessions {
        until_status(id, "completed").await;
        let events = record(id).await;
        for kind in [
            "approval_requested",
            "approval_received",
            "planning_complete",
            "step_start",
            "step_complete",
            "complete",
        ] {
            assert_eq!(count(&events, kind), 1, "{kind}");
        }
        assert_eq!(count(&events, "agent_message"), 2, "planner and step");
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_sweeper_sends_a_lost_message_again() {
    model();
    let _storm = exclusive_workers().await;
    let word = Uuid::now_v7().to_string();
    let id = create("one-shot").await;
    let run = start(&id, &format!("[[slow=2000 id={word}]]")).await;
    called(&word, "researcher").await;
    // The worker dies. The sweeper acts before the queue delivers the message again.
    stack().kill_executors();
    let events = eventually("the run completes", || async {
        stack().sweep().await;
        let events = record(&id).await;
        (count(&events, "complete") == 1).then_some(events)
    })
    .await;
    assert_eq!(count(&events, "agent_message"), 1);
    let runs = get(&format!("/api/sessions/{id}/runs")).await.ok();
    assert_eq!(
        (&runs["runs"][0]["id"], &runs["runs"][0]["status"]),
        (&json!(run), &json!("completed"))
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_invalid_message_affects_no_other_message() {
    model();
    let _storm = exclusive_workers().await;
    let id = create("one-shot").await;
    for garbage in [
        "",
        "no JSON",
        "{}",
        r#"{"session_id": "x", "run_id": "y"}"#,
        "[1]",
    ] {
        stack()
            .send(if garbage.is_empty() { " " } else { garbage }, 1)
            .await;
    }
    let unknown = json!({"session_id": Uuid::now_v7(), "run_id": Uuid::now_v7()}).to_string();
    stack().send(&unknown, 1).await;
    start(&id, "count the lighthouses").await;
    until_status(&id, "completed").await;
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_killed_function_of_the_api_answers_again() {
    let ask = || get("/api/credentials/status");
    ask().await.ok();
    assert!(stack().kill_function("get-credentials-status") > 0);
    // Without a living instance, the request would wait for ever.
    ask().await.ok();
}
