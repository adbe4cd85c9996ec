//! What could not be read again is refused before it is stored, and an entry of the log that cannot
//! be read all the same stops nothing: every route shows the rest, and the session can be deleted.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};
use tests::model::model;
use tests::people::{answer, approval, asking};
use tests::rest::{
    call, count, create, delete, get, newest_run, patch, post, record, start, until, until_status,
};
use tests::stack::{eventually, shared_workers, stack};
use tests::ws::connect;
use uuid::Uuid;

fn deep(levels: usize) -> String {
    format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels))
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_answer_that_could_not_be_read_again_changes_nothing() {
    model();
    let _calm = shared_workers().await;
    let (session, open) = asking().await;
    let before = record(&session).await;
    let id = open["approval_id"].as_str().unwrap();
    let path = format!("/api/sessions/{session}/approvals/{id}");
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    client.follow(&session).await;
    for levels in [33, 125, 200] {
        let answered = format!(
            r#""resolution": "approve", "modifications": {}"#,
            deep(levels)
        );
        let refused = call(Method::POST, &path, Some(&format!("{{{answered}}}")), &[]).await;
        assert_eq!(refused.problem(), (422, "invalid_field"), "{levels}");
        let detail = "`modifications` must be nested at most 32 deep.";
        assert_eq!(refused.body["detail"], detail);
        let frame =
            format!(r#"{{"type": "approval_response", "approval_id": "{id}", {answered}}}"#);
        client.send_text(&frame).await;
        let error = client.next().await.unwrap();
        assert_eq!(error["data"]["message"], detail, "{error}");
        assert_eq!(
            client.next().await.unwrap()["event_type"],
            "approval_requested"
        );
    }
    assert_eq!(record(&session).await, before);
    assert_eq!(approval(&session, &open["approval_id"]).await, open);
    let kept: Value = serde_json::from_str(&deep(32)).unwrap();
    let body = json!({"resolution": "approve", "modifications": kept});
    answer(&session, &open, &body).await.ok();
    until_status(&session, "completed").await;
    delete(&format!("/api/sessions/{session}")).await.ok();
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn half_of_a_surrogate_pair_is_named_and_every_other_character_is_kept() {
    model();
    let _calm = shared_workers().await;
    let session = create("one-shot").await;
    let runs = format!("/api/sessions/{session}/runs");
    let reason = "`task` is not valid JSON: a `\\u` escape is half of a surrogate pair.";
    let body = r#"{"task": "\ud83d", "config": {}}"#;
    let refused = call(Method::POST, &runs, Some(body), &[]).await;
    assert_eq!(refused.problem(), (400, "malformed_json"));
    assert_eq!(refused.body["detail"], reason);
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    client.send_text(body).await;
    assert_eq!(client.next().await.unwrap()["data"]["message"], reason);
    let failed = client.next().await.unwrap();
    assert_eq!(failed["event_type"], "workflow_failed");
    assert_eq!(record(&session).await.len(), 1, "no run may have begun");

    let task = format!("\0{}", "\u{1}".repeat(32 * 1024));
    let config = json!({"kept": "\0\u{1F600}"});
    let started = post(&runs, &json!({"task": task, "config": config})).await;
    assert_eq!(started.status, 202, "{started:?}");
    until(&session, "the end", |detail| detail["active_run"].is_null()).await;
    let said = &record(&session).await[2]["data"];
    assert_eq!(said["artifact"], "task.txt");
    assert!(task.starts_with(said["content"].as_str().unwrap()));
}

/// Replaces the attribute `events` of an entry of the session, by its place.
async fn break_entry(session: &str, place: usize, events: AttributeValue) {
    let items = stack().items(session).await;
    let is_entry = |item: &&_| -> bool {
        let item: &std::collections::HashMap<String, AttributeValue> = item;
        item["SK"].as_s().unwrap().starts_with("LOG#")
    };
    let entry = items.iter().filter(is_entry).nth(place).unwrap();
    let table = stack().dynamodb().await;
    let update = table.update_item().table_name(stack().get("TABLE_NAME"));
    update
        .key("PK", entry["PK"].clone())
        .key("SK", entry["SK"].clone())
        .update_expression("SET events = :events")
        .expression_attribute_values(":events", events)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn every_route_works_on_a_session_with_entries_that_cannot_be_read() {
    model();
    let _calm = shared_workers().await;
    let session = create("planning-control").await;
    let run = start(&session, "Measure the tides. [[steps=1]]").await;
    until_status(&session, "completed").await;
    let whole = record(&session).await;
    let entries = stack().items(&session).await;
    let entries = entries
        .iter()
        .filter(|item| item["SK"].as_s().unwrap().starts_with("LOG#"));
    let nested = format!(
        r#"[{{"event_type": "agent_message", "data": {}}}]"#,
        deep(200)
    );
    break_entry(&session, 2, AttributeValue::S(nested)).await;
    break_entry(&session, entries.count() - 1, AttributeValue::N("7".into())).await;

    let broken = record(&session).await;
    assert_eq!(broken.len(), whole.len());
    let unreadable = count(&broken, "unreadable");
    assert!(
        unreadable > 1 && unreadable < whole.len() / 2,
        "{unreadable}"
    );
    for (event, before) in broken.iter().zip(&whole) {
        assert!(
            event == before || event["event_type"] == "unreadable",
            "{event}"
        );
    }
    for path in [
        "/api/sessions/SESSION",
        "/api/sessions/SESSION/runs",
        "/api/sessions/SESSION/runs/RUN/costs",
        "/api/sessions/SESSION/approvals",
        "/api/sessions/SESSION/artifacts",
        "/api/runs/RUN/dag",
        "/api/runs/RUN/costs",
        "/api/runs/RUN/files",
        "/api/nodes/planning/events?run_id=RUN",
        "/api/nodes/planning/files?run_id=RUN",
    ] {
        let path = path.replace("SESSION", &session).replace("RUN", &run);
        get(&path).await.ok();
    }
    let history = get(&format!("/api/sessions/{session}/history")).await.ok();
    let told = history["messages"].as_array().unwrap().iter();
    let told = told.filter(|message| message["role"] == "system");
    assert!(told.count() > 0, "{history}");
    let path = format!("/api/runs/{run}/history?event_type=unreadable");
    let history = get(&path).await.ok();
    assert!(!history["events"].as_array().unwrap().is_empty());
    let log = get(&format!("/api/runs/{run}/console-log")).await.ok();
    let content = log["content"].as_str().unwrap();
    assert!(
        content.contains("unreadable This event cannot be read."),
        "{content}"
    );
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    let subscribe = json!({"type": "subscribe", "session_id": session});
    let replayed = client.exchange(&subscribe).await;
    assert_eq!(count(&replayed, "unreadable"), unreadable);

    let path = format!("/api/sessions/{session}");
    patch(&path, &json!({"name": "broken"})).await.ok();
    start(&session, "And the moon? [[steps=1]]").await;
    let detail = until(&session, "the end", |detail| detail["active_run"].is_null()).await;
    assert_eq!(detail["status"], "completed", "{detail}");
    delete(&path).await.ok();
    assert_eq!(get(&path).await.problem(), (404, "session_not_found"));
    eventually("the purge", || async {
        stack().sweep().await;
        (stack().items(&session).await.len() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_run_whose_record_cannot_be_read_fails_and_its_session_goes() {
    model();
    let _calm = shared_workers().await;
    let (session, open) = asking().await;
    break_entry(&session, 1, AttributeValue::S("[".into())).await;
    answer(&session, &open, &json!({"resolution": "approve"}))
        .await
        .ok();
    until(&session, "the failure", |detail| {
        detail["suspend_reason"] == "run_failed"
    })
    .await;
    let run = newest_run(&session).await;
    assert_eq!(run["error"], "A part of the run's record cannot be read.");
    let events = record(&session).await;
    let error = events.last().unwrap();
    assert_eq!(error["data"]["code"], "record_unreadable", "{error}");
    delete(&format!("/api/sessions/{session}")).await.ok();
}
