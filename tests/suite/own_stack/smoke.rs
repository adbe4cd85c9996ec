//! The main use cases of users and operators, through both APIs of the deployed template: `make
//! deploy-local`.
//!
//! The functions are the optimised binaries with their own roles. A person answers questions over
//! the WebSocket and by REST. Runs end in every possible way. A dead letter is processed, and a
//! deleted session is purged. Every function takes part, none may be denied access, and at the end
//! the metrics must match the records.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tests::canary::logged;
use tests::files::{artifacts, ask_for_download, download, download_by_path, escaped, upload};
use tests::issuer::owner_token;
use tests::model::model;
use tests::people::{answer, choose, question};
use tests::rest::{
    count, create_with, delete, get, newest_run, patch, post_empty, record, send, start, succeeded,
    until, until_status,
};
use tests::stack::{eventually, stack};
use tests::ws::{Client, connect_as};
use uuid::Uuid;

use super::assert_no_errors_logged;
use crate::afterwards::assert_nothing_planted_is_printed;
use crate::measured::{Values, add_record, namespace, of_records, values};
use crate::template::routes;

const TASK: &str = "Explain why the sea comes twice a day.";

/// The created sessions with their modes; for a deleted one also its record.
#[derive(Default)]
struct Made {
    modes: BTreeMap<String, &'static str>,
    deleted: BTreeMap<String, Vec<Value>>,
}

impl Made {
    async fn session(&mut self, mode: &'static str, config: &Value) -> String {
        let id = create_with(mode, config).await;
        self.modes.insert(id.clone(), mode);
        id
    }

    /// A session that will ask about its plan.
    async fn asking(&mut self) -> String {
        self.session("hitl-interactive", &asks()).await
    }

    /// A run that begins with a first frame, with the token in the query.
    async fn first_frame(&mut self) -> (Client, String) {
        let (task_id, token) = (Uuid::now_v7(), owner_token().unwrap());
        let query = format!("?task_id={task_id}&token={token}");
        let mut client = connect_as(&query, None).await.unwrap();
        let mut config = asks();
        config["mode"] = json!("hitl-interactive");
        let status = client.start(TASK, config).await;
        let session = status["session_id"].as_str().unwrap().to_owned();
        self.modes.insert(session.clone(), "hitl-interactive");
        (client, session)
    }
}

fn asks() -> Value {
    json!({"hitlVariant": "planning_only", "nPlanReviews": 0})
}

#[tokio::test]
#[ignore = "needs a stack of its own: make deploy-local"]
async fn the_main_use_cases_of_users_and_operators_work() {
    model();
    let mut made = Made::default();
    answers_by_both_ways(&mut made).await;
    cancels_over_the_socket(&mut made).await;
    ends_by_rest(&mut made).await;
    makes_and_fetches_files(&mut made).await;
    reads_documents(&mut made).await;
    takes_up_a_dead_letter(&mut made).await;
    purges_a_deleted_session(&mut made).await;
    for path in [
        "/api/health",
        "/api/sessions/modes/list",
        "/api/credentials/status",
        "/api/models/config",
        "/api/sessions?limit=5",
    ] {
        get(path).await.ok();
    }
    opens_the_console().await;
    assert_every_route_was_used();
    assert_metrics_say_what_records_say(&made).await;
    assert_no_errors_logged().await;
    assert_nothing_planted_is_printed().await;
}

/// The first answer goes over the WebSocket and is repeated; the second one goes by REST.
async fn answers_by_both_ways(made: &mut Made) {
    let (mut client, session) = made.first_frame().await;
    let first = client.until("approval_requested").await;
    let frame = json!({
        "type": "approval_response", "approval_id": first["data"]["approval_id"],
        "resolution": "revise", "feedback": "In fewer steps.",
    });
    let received = client.answer(&frame).await;
    assert_eq!(received["event_type"], "approval_received", "{received}");
    let open = question(&session, "during_planning").await;
    answer(&session, &open, &json!({"resolution": "approve"}))
        .await
        .ok();
    client.until("complete").await;
    let events = record(&session).await;
    assert_eq!(
        client.events, events,
        "the pushed events must equal those of REST"
    );
    let told = |kind: &str, field: &str| -> Vec<Value> {
        let events = events.iter().filter(|event| event["event_type"] == kind);
        events.map(|event| event["data"][field].clone()).collect()
    };
    assert_eq!(
        told("approval_received", "resolution"),
        ["revise", "approve"]
    );
    assert_eq!(
        told("approval_requested", "approval_id"),
        told("approval_received", "approval_id")
    );
    let path = format!("/api/sessions/{session}");
    let history = get(&format!("{path}/history?limit=1000")).await.ok();
    let said = history["messages"].as_array().unwrap().iter();
    let said = said.filter(|message| message["role"] == "assistant");
    assert_eq!(said.count(), count(&events, "agent_message"));
    let run = newest_run(&session).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let costs = get(&format!("{path}/runs/{run}/costs")).await.ok();
    let paid: Vec<f64> = told("cost_update", "cost_usd")
        .iter()
        .map(|dollars| dollars.as_f64().unwrap())
        .collect();
    assert_eq!(costs["record_count"], paid.len());
    let total = costs["total_cost_usd"].as_f64().unwrap();
    assert!((total - paid.iter().sum::<f64>()).abs() < 1e-9 && total > 0.0);
    client.close().await;
}

async fn cancels_over_the_socket(made: &mut Made) {
    let (mut client, session) = made.first_frame().await;
    client.until("approval_requested").await;
    client.send(&json!({"type": "cancel"})).await;
    until(&session, "cancelled", |detail| {
        detail["active_run"].is_null()
    })
    .await;
    let events = record(&session).await;
    while client.events.len() < events.len() {
        client.next().await.expect("closed before the end");
    }
    assert_eq!(client.events, events);
    assert_ends(&session, "cancelled").await;
    client.close().await;
}

/// Asserts the status of the session's newest run after its end.
async fn assert_ends(session: &str, status: &str) {
    until(session, "the run's end", |detail| {
        detail["active_run"].is_null()
    })
    .await;
    assert_eq!(newest_run(session).await["status"], status);
}

/// A run that is cancelled while it waits, one that an answer ends, one that a model refuses, and a
/// task in the bucket.
async fn ends_by_rest(made: &mut Made) {
    let session = made.asking().await;
    let path = format!("/api/sessions/{session}");
    post_empty(&format!("{path}/suspend")).await.ok();
    post_empty(&format!("{path}/resume")).await.ok();
    let run = start(&session, &format!("{TASK} ").repeat(1000)).await;
    question(&session, "during_planning").await;
    post_empty(&format!("{path}/runs/{run}/cancel")).await.ok();
    assert_ends(&session, "cancelled").await;
    start(&session, TASK).await;
    choose(&session, "during_planning", "reject").await;
    assert_ends(&session, "cancelled").await;
    let session = made.session("one-shot", &json!({})).await;
    start(&session, "[[status=400]]").await;
    assert_ends(&session, "failed").await;
}

/// Files are uploaded and downloaded through links, which have at most the permissions of the
/// signing role. So are the artifacts of a run.
async fn makes_and_fetches_files(made: &mut Made) {
    let session = made
        .session("one-shot", &json!({"agent": "engineer"}))
        .await;
    upload(&session, "tides.txt", "text/plain", b"The Sun pulls too.").await;
    let run = start(&session, TASK).await;
    until_status(&session, "completed").await;
    reads_by_run(&session, &run).await;
    let names: Vec<Value> = artifacts(&session)
        .await
        .iter()
        .map(|file| file["name"].clone())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(download(&session, "tides.txt").await, b"The Sun pulls too.");
    assert_eq!(download(&session, "execute_count.py").await, b"print(42)\n");
}

/// The reads of a run by its id alone, and of its files by their paths.
async fn reads_by_run(session: &str, run: &str) {
    for path in [
        format!("/api/runs/{run}/history"),
        format!("/api/runs/{run}/dag"),
        format!("/api/runs/{run}/console-log"),
        format!("/api/runs/{run}/costs"),
        format!("/api/nodes/execute/events?run_id={run}"),
        format!("/api/nodes/execute/files?run_id={run}"),
    ] {
        get(&path).await.ok();
    }
    let listed = get(&format!("/api/runs/{run}/files")).await.ok();
    let paths: Vec<&str> = listed["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["file_path"].as_str().unwrap())
        .collect();
    let [answer, program] = paths[..] else {
        panic!("{listed}")
    };
    let content = get(&format!("/api/files/content?path={}", escaped(program))).await;
    assert_eq!(content.ok()["content"], "print(42)\n");
    assert_eq!(download_by_path(program).await, b"print(42)\n");
    let query = format!("/api/files/download?path={}", escaped(answer));
    let token = owner_token();
    let reply = send(token.as_deref(), &Method::GET, &query, None, &[]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let missing = format!("{session}/uploads/none.txt");
    assert_eq!(ask_for_download(&missing).await.status(), 404);
}

/// A document is read by the worker for documents; a text moves from there to the one for models.
async fn reads_documents(made: &mut Made) {
    let ocr = made.session("ocr", &json!({"document": "moon.pdf"})).await;
    let page = tests::pdf::of(&["The moon pulls at the sea.".to_owned()]);
    upload(&ocr, "moon.pdf", "application/pdf", page).await;
    let enhanced = made.session("enhance-input", &json!({})).await;
    for (session, moves) in [(ocr, 0), (enhanced, 1)] {
        start(&session, TASK).await;
        assert_ends(&session, "completed").await;
        assert_eq!(count(&record(&session).await, "slice_started"), moves);
    }
}

/// The queue is drained as the operations page describes. Its message is given up, and the run
/// fails.
async fn takes_up_a_dead_letter(made: &mut Made) {
    stack().take_messages("executor", false).await;
    let session = made.session("one-shot", &json!({})).await;
    start(&session, TASK).await;
    let letter = eventually("a message", || stack().take_message()).await;
    stack().send_to(stack().get("DLQ_URL"), &letter).await;
    assert_ends(&session, "failed").await;
    stack().take_messages("executor", true).await;
    let events = record(&session).await;
    let errors = events.iter().filter(|event| event["event_type"] == "error");
    let codes: Vec<&Value> = errors.map(|event| &event["data"]["code"]).collect();
    assert_eq!(codes, ["undeliverable"]);
}

/// Deletes a session that waits for an answer. The sweeper and the executor purge it and its files
/// in the bucket.
async fn purges_a_deleted_session(made: &mut Made) {
    let session = made.asking().await;
    start(&session, TASK).await;
    question(&session, "during_planning").await;
    let path = format!("/api/sessions/{session}");
    let renamed = patch(&path, &json!({"name": "soon gone"})).await.ok();
    assert_eq!(renamed["name"], "soon gone");
    upload(&session, "gone.txt", "text/plain", b"gone soon").await;
    let listed = artifacts(&session).await;
    let link = listed[0]["url"].as_str().unwrap();
    let mut events = record(&session).await;
    // The deletion cancels the run. No client can read that event.
    events.push(json!({"event_type": "workflow_cancelled", "data": {}}));
    made.deleted.insert(session.clone(), events);
    delete(&path).await.ok();
    eventually("the purge", || async {
        stack().sweep().await;
        // The entry `deleted` remains, and the due time of a second purge a day later.
        (stack().items(&session).await.len() == 2).then_some(())
    })
    .await;
    assert_eq!(reqwest::get(link).await.unwrap().status(), 404);
}

/// The page and the file that starts it, without a token.
async fn opens_the_console() {
    let page = send(None, &Method::GET, "/", None, &[]).await;
    assert_eq!(page.status, 200, "{page:?}");
    let (_, rest) = page.text.split_once("src=\"").unwrap();
    let (script, _) = rest.split_once('"').unwrap();
    let script = send(None, &Method::GET, script, None, &[]).await;
    assert_eq!(script.status, 200, "{script:?}");
}

fn assert_every_route_was_used() {
    let used: Vec<String> = succeeded()
        .iter()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let fits = |key: &str, used: &str| {
        let (key, used) = (key.split('/'), used.split('/'));
        let pairs: Vec<(&str, &str)> = key.clone().zip(used.clone()).collect();
        let same = |(own, given): &(&str, &str)| own.starts_with('{') || own == given;
        key.count() == used.count() && pairs.iter().all(same)
    };
    for route in routes() {
        let was_used = used.iter().any(|used| fits(&route.key, used));
        assert!(was_used || route.key.starts_with('$'), "{}", route.key);
    }
}

/// Asserts that the metrics of runs, steps and costs match the records, and that those of the
/// queue, the dead letter and the sweeper match their use.
async fn assert_metrics_say_what_records_say(made: &Made) {
    let mut recorded = Values::new();
    for (session, mode) in &made.modes {
        let events = match made.deleted.get(session) {
            Some(events) => events.clone(),
            None => record(session).await,
        };
        add_record(&mut recorded, mode, &events);
    }
    // A log line appears shortly after it was written.
    let told = eventually("metrics that say what the records say", || async {
        let (told, wrong) = values(&logged().await, namespace());
        assert!(wrong.is_empty(), "{wrong:#?}");
        (of_records(&told) == of_records(&recorded)).then_some(told)
    })
    .await;
    let of = |name: &str| {
        told.get(&vec![name.to_owned()])
            .cloned()
            .unwrap_or_default()
    };
    let waited = of("QueueTime");
    assert!(!waited.is_empty() && waited.iter().all(|seconds| (0.0..30.0).contains(seconds)));
    assert_eq!(of("DeadLetters").iter().sum::<f64>(), 1.0);
    assert!(of("Sweeps").iter().sum::<f64>() > 0.0);
}
