//! The history of a session, and the states in which it accepts a further task.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use session::{Command, Rules};
use session_manager::{Actor, SessionManager};
use tests::model::{calls, model, prompts};
use tests::people::{choose, question, tell};
use tests::rest::{
    count, create, create_with, detail, get, post, post_empty, record, start, until, until_status,
};
use tests::stack::{shared_workers, stack};
use uuid::Uuid;

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_message_from_ten_turns_ago_reaches_the_model() {
    model();
    let _calm = shared_workers().await;
    let session = create("copilot").await;
    start(
        &session,
        "My boat is called Seestern. [[steps=1]] [[route=planned]]",
    )
    .await;
    until_status(&session, "completed").await;
    for turn in 2..=10 {
        start(
            &session,
            &format!("This is turn {turn}. [[route=one_shot]]"),
        )
        .await;
        until_status(&session, "completed").await;
    }
    let word = Uuid::now_v7().to_string();
    start(&session, &format!("What is it called? [[id={word}]]")).await;
    until_status(&session, "completed").await;
    assert_eq!(calls(&word), ["copilot_control", "researcher"]);
    for place in ["copilot_control", "researcher"] {
        let prompt = prompts(&word, place).remove(0);
        let (before, now) = prompt.split_once("# Task").unwrap();
        assert!(now.contains("What is it called?"), "{now}");
        let said = [
            "**user**: My boat is called Seestern.",
            "**researcher**: Findings at step_1.",
            "This is turn 2.",
            "This is turn 10.",
            "Findings at researcher.",
        ];
        let places = said.map(|words| {
            before
                .find(words)
                .unwrap_or_else(|| panic!("{words}: {before}"))
        });
        assert!(places[..4].is_sorted(), "oldest first: {before}");
    }
    let history = get(&format!("/api/sessions/{session}/history?limit=1000")).await;
    let roles = history.ok()["messages"].as_array().unwrap().clone();
    let of_user = roles.iter().filter(|message| message["role"] == "user");
    assert_eq!(of_user.count(), 11, "no message may be truncated");
    let events = record(&session).await;
    assert_eq!(count(&events, "complete"), 11);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_conversation_of_three_turns_is_one_run_with_its_history() {
    model();
    let _calm = shared_workers().await;
    let word = Uuid::now_v7().to_string();
    let session = create_with("copilot", &json!({"conversational": true})).await;
    let run = start(&session, "My boat is called Seestern.").await;
    tell(&session, "copilot_turn", "submit", "It is blue.").await;
    tell(
        &session,
        "copilot_turn",
        "submit",
        &format!("What is it called? [[id={word}]]"),
    )
    .await;
    choose(&session, "copilot_turn", "done").await;
    let detail = until_status(&session, "completed").await;
    assert_eq!(calls(&word), ["copilot_control", "researcher"]);
    for place in ["copilot_control", "researcher"] {
        let prompt = prompts(&word, place).remove(0);
        let (before, now) = prompt.split_once("# Task").unwrap();
        assert!(
            now.contains("What is it called?") && !now.contains("Seestern"),
            "{now}"
        );
        for words in [
            "**user**: My boat is called Seestern.",
            "**user**: It is blue.",
        ] {
            assert_eq!(before.matches(words).count(), 1, "{before}");
        }
    }
    let runs = get(&format!("/api/sessions/{session}/runs")).await.ok();
    assert_eq!(
        (&runs["total_runs"], &runs["runs"][0]["id"]),
        (&json!(1), &json!(run))
    );
    let said: Vec<&Value> = detail["conversation_history"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["role"] == "user")
        .map(|message| &message["content"])
        .collect();
    assert_eq!(said.len(), 3);
    assert_eq!(said[1], "It is blue.");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_session_accepts_a_task_unless_a_run_is_unfinished() {
    model();
    let _calm = shared_workers().await;
    join_all(
        ["completed", "cancelled", "failed", "suspended", "expired"].map(async |before| {
            let session = create("copilot").await;
            bring(&session, before).await;
            let word = Uuid::now_v7().to_string();
            start(&session, &format!("And on. [[id={word}]]")).await;
            let detail = until_status(&session, "completed").await;
            assert_eq!(
                (&detail["suspend_reason"], &detail["error"]),
                (&Value::Null, &Value::Null)
            );
            let said = before != "suspended" && before != "expired";
            let prompt = prompts(&word, "researcher").remove(0);
            assert_eq!(
                prompt.contains("My boat is called Seestern."),
                said,
                "{before}: {prompt}"
            );
        }),
    )
    .await;
}

/// Brings a new session into the state in which a further task is sent.
async fn bring(session: &str, place: &str) {
    let task = "My boat is called Seestern.";
    let path = format!("/api/sessions/{session}");
    match place {
        "completed" => {
            start(session, task).await;
            until_status(session, "completed").await;
        }
        "cancelled" => {
            let run = start(
                session,
                &format!("{task} [[route=clarify times=1 id={session}]]"),
            )
            .await;
            question(session, "clarification").await;
            post_empty(&format!("{path}/runs/{run}/cancel")).await.ok();
            assert_eq!(detail(session).await["suspend_reason"], "user_requested");
        }
        "failed" => {
            let word = Uuid::now_v7();
            start(session, &format!("{task} [[status=400 times=1 id={word}]]")).await;
            until(session, "failure", |detail| {
                detail["suspend_reason"] == "run_failed"
            })
            .await;
        }
        "suspended" => {
            post_empty(&format!("{path}/suspend")).await.ok();
        }
        _ => expire(session).await,
    }
}

/// Does what the stack's sweeper does for a session that was inactive for a day, with a shorter
/// limit.
async fn expire(session: &str) {
    let rules = Rules {
        idle_ttl: Duration::ZERO,
        ..Rules::default()
    };
    let (client, table) = (stack().dynamodb().await, stack().get("TABLE_NAME"));
    let sessions = SessionManager::new(client, table, rules);
    let id = session.parse().unwrap();
    let swept = sessions.change(id, &Actor::System, &Command::Recover, lambda_kit::now());
    swept.await.unwrap();
    let refused = post_empty(&format!("/api/sessions/{session}/suspend")).await;
    assert_eq!(refused.problem(), (409, "session_not_active"));
    assert_eq!(detail(session).await["status"], "expired");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn of_concurrent_tasks_one_runs_and_the_others_learn_its_id() {
    model();
    let _calm = shared_workers().await;
    let session = create("copilot").await;
    let word = Uuid::now_v7();
    let path = format!("/api/sessions/{session}/runs");
    let send = |number: usize| {
        let body = json!({"task": format!("Task {number}. [[slow=500 id={word}]]")});
        let path = &path;
        async move { post(path, &body).await }
    };
    let replies = join_all((0..4).map(send)).await;
    let (taken, refused): (Vec<_>, Vec<_>) =
        replies.into_iter().partition(|reply| reply.status == 202);
    assert_eq!(taken.len(), 1);
    for reply in refused {
        assert_eq!(reply.problem(), (409, "run_unfinished"));
        assert_eq!(reply.body["run_id"], taken[0].body["id"]);
        let id = taken[0].body["id"].as_str().unwrap();
        assert!(reply.body["detail"].as_str().unwrap().contains(id));
    }
    until_status(&session, "completed").await;
    assert_eq!(calls(&word.to_string()), ["copilot_control", "researcher"]);
    assert_eq!(count(&record(&session).await, "user_message"), 1);
    assert_eq!(get(&path).await.ok()["total_runs"], 1);
}
