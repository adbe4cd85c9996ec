//! Runs from the first frame or request to their end: the order of the record, failures with their
//! reasons, suspend, resume, takeover, cancel, and delete.

use std::time::Duration;

use serde_json::{Value, json};
use tests::model::{called, calls, model, release};
use tests::rest::{
    count, create, delete, detail, get, post, post_empty, record, start, types, until, until_status,
};
use tests::stack::{eventually, shared_workers, stack};
use uuid::Uuid;

/// The event types without those that may occur anywhere.
fn path(events: &[Value]) -> Vec<&str> {
    types(events)
        .into_iter()
        .filter(|kind| *kind != "cost_update")
        .collect()
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_one_shot_run_records_its_events_in_order() {
    model();
    let _calm = shared_workers().await;
    let id = create("one-shot").await;
    let run = start(&id, "count the lighthouses").await;
    let detail = until_status(&id, "completed").await;
    assert_eq!(
        (&detail["current_phase"], &detail["active_run"]),
        (&json!("completed"), &Value::Null)
    );
    let events = record(&id).await;
    let expected = [
        "status",
        "status",
        "user_message",
        "workflow_started",
        "dag_created",
        "phase_change",
        "dag_node_status_changed",
        "agent_message",
        "dag_node_status_changed",
        "dag_node_status_changed",
        "dag_node_status_changed",
        "result",
        "workflow_completed",
        "complete",
    ];
    assert_eq!(path(&events), expected);
    assert_eq!(count(&events, "cost_update"), 1);
    let result = events
        .iter()
        .find(|event| event["event_type"] == "result")
        .unwrap();
    assert_eq!(result["data"]["chat_history"].as_array().unwrap().len(), 2);
    assert!(!result["data"]["summary"].as_str().unwrap().is_empty());
    assert!(
        events[1..]
            .iter()
            .all(|event| event["run_id"] == json!(run))
    );
    let runs = get(&format!("/api/sessions/{id}/runs")).await.ok();
    assert_eq!(
        (&runs["runs"][0]["status"], &runs["runs"][0]["error"]),
        (&json!("completed"), &Value::Null)
    );
    assert!(
        runs["runs"][0]["started_at"].is_string() && runs["runs"][0]["completed_at"].is_string()
    );
    let second = post(
        &format!("/api/sessions/{id}/runs"),
        &json!({"task": "another"}),
    )
    .await;
    assert_eq!(second.problem(), (409, "mode_cannot_continue"));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_planned_run_drafts_reviews_and_executes_its_steps() {
    model();
    let _calm = shared_workers().await;
    let id = create("planning-control").await;
    start(&id, "measure the tides [[steps=2]]").await;
    let detail = until_status(&id, "completed").await;
    assert_eq!(detail["plan_data"].as_array().unwrap().len(), 2);
    let events = record(&id).await;
    let steps: Vec<&Value> = events
        .iter()
        .filter(|event| event["event_type"] == "step_complete")
        .collect();
    assert_eq!(
        steps
            .iter()
            .map(|event| &event["data"]["step_number"])
            .collect::<Vec<_>>(),
        [&json!(1), &json!(2)]
    );
    let phases: Vec<&Value> = events
        .iter()
        .filter(|event| event["event_type"] == "phase_change")
        .map(|event| &event["data"]["phase"])
        .collect();
    assert_eq!(
        phases[..3],
        [&json!("planning"), &json!("control"), &json!("control")]
    );
    let graph = events
        .iter()
        .rev()
        .find(|event| event["event_type"] == "dag_updated")
        .unwrap();
    let nodes: Vec<&str> = graph["data"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].as_str().unwrap())
        .collect();
    assert_eq!(nodes, ["planning", "step_1", "step_2", "terminator"]);
    let costs: Vec<f64> = events
        .iter()
        .filter(|event| event["event_type"] == "cost_update")
        .map(|event| event["data"]["total_cost_usd"].as_f64().unwrap())
        .collect();
    assert_eq!(costs.len(), 5, "planner, reviewer, planner, two steps");
    assert!(costs.is_sorted());
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_step_is_recorded_when_it_starts() {
    model();
    let _calm = shared_workers().await;
    let id = create("planning-control").await;
    start(&id, "[[steps=2]] [[slow=2000 at=step_1]]").await;
    let detail = until(&id, "step 1 begins", |detail| detail["current_step"] == 1).await;
    assert_eq!(
        (&detail["current_phase"], &detail["status"]),
        (&json!("control"), &json!("active"))
    );
    let events = record(&id).await;
    assert_eq!(types(&events).last(), Some(&"step_start"));
    until_status(&id, "completed").await;
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_model_without_valid_answers_fails_the_run_with_its_reason() {
    model();
    let _calm = shared_workers().await;
    let word = Uuid::now_v7();
    let id = create("one-shot").await;
    start(&id, &format!("[[misfit id={word}]]")).await;
    let detail = until_status(&id, "suspended").await;
    assert_eq!(
        (&detail["suspend_reason"], &detail["current_phase"]),
        (&json!("run_failed"), &json!("failed"))
    );
    assert!(detail["error"].as_str().unwrap().len() > 10);
    assert_eq!(calls(&word.to_string()).len(), 3, "asked maxAttempts times");
    let events = record(&id).await;
    for kind in ["workflow_failed", "error"] {
        assert_eq!(count(&events, kind), 1, "{kind}");
    }
    assert_eq!(
        count(&events, "cost_update"),
        3,
        "invalid answers must be billed"
    );
    for kind in ["complete", "workflow_completed", "result"] {
        assert_eq!(count(&events, kind), 0, "{kind}");
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_temporarily_failing_model_is_called_again() {
    model();
    let _calm = shared_workers().await;
    let word = Uuid::now_v7();
    let id = create("one-shot").await;
    start(&id, &format!("[[status=503 times=2 id={word}]]")).await;
    until_status(&id, "completed").await;
    assert_eq!(calls(&word.to_string()).len(), 3);
    assert_eq!(count(&record(&id).await, "agent_message"), 1);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_resume_after_a_model_failure_continues_at_the_failed_step() {
    model();
    let _calm = shared_workers().await;
    let word = Uuid::now_v7();
    let id = create("planning-control").await;
    let failed = start(
        &id,
        &format!("[[steps=3]] [[status=400 times=1 at=step_2 id={word}]]"),
    )
    .await;
    let detail = until_status(&id, "suspended").await;
    assert_eq!(
        (&detail["suspend_reason"], &detail["active_run"]),
        (&json!("run_failed"), &Value::Null)
    );
    post_empty(&format!("/api/sessions/{id}/resume")).await.ok();
    until_status(&id, "completed").await;
    let runs = get(&format!("/api/sessions/{id}/runs")).await.ok();
    assert_eq!(
        (&runs["runs"][0]["resumed_from"], &runs["total_runs"]),
        (&json!(failed), &json!(2))
    );
    let made = calls(&word.to_string());
    let of = |place: &str| made.iter().filter(|call| *call == place).count();
    assert_eq!(
        (of("step_1"), of("step_2"), of("step_3")),
        (1, 2, 1),
        "only the failed step may be repeated"
    );
    let events = record(&id).await;
    assert_eq!(count(&events, "step_complete"), 3);
}

/// A run whose model is called for the first step and holds the answer back; returns its session
/// and the id of the calls.
///
/// The call shows that a worker executes the step, which the record does not: if the rest of a
/// slice is too short for a step, the next slice executes it, and a suspend in between leaves a
/// recorded step that no worker has started.
async fn held_in_step_one(steps: usize) -> (String, String) {
    let word = Uuid::now_v7().to_string();
    let id = create("planning-control").await;
    let task = format!("[[steps={steps}]] [[hold at=step_1 id={word}]]");
    start(&id, &task).await;
    called(&word, "step_1").await;
    (id, word)
}

async fn suspend(id: &str) {
    let path = format!("/api/sessions/{id}/suspend");
    post_empty(&path).await.ok();
}

async fn resume(id: &str) {
    let path = format!("/api/sessions/{id}/resume");
    post_empty(&path).await.ok();
}

/// The numbers of started and of completed steps.
async fn steps(id: &str) -> (usize, usize) {
    let events = record(id).await;
    (
        count(&events, "step_start"),
        count(&events, "step_complete"),
    )
}

async fn until_step_one_is_done(id: &str) {
    eventually("the step is kept", || async {
        (steps(id).await.1 == 1).then_some(())
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn suspend_keeps_the_step_and_resume_continues_after_it() {
    model();
    let _calm = shared_workers().await;
    let (id, word) = held_in_step_one(3).await;
    suspend(&id).await;
    release(&word);
    until_step_one_is_done(&id).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        steps(&id).await,
        (1, 1),
        "no step may begin while the run is suspended"
    );
    let paused = detail(&id).await;
    assert_eq!(
        (&paused["status"], paused["active_run"].is_string()),
        (&json!("suspended"), true)
    );
    resume(&id).await;
    until_status(&id, "completed").await;
    let made = calls(&word);
    for place in ["step_1", "step_2", "step_3"] {
        assert_eq!(
            made.iter().filter(|call| *call == place).count(),
            1,
            "{place} of {made:?}"
        );
    }
}

/// The time of the resume.
#[derive(Debug, Clone, Copy)]
enum Resume {
    /// While the worker waits for its model.
    BeforeTheAnswer,
    /// While the worker commits the step and releases its lease.
    WithTheAnswer,
    /// When the step is in the record.
    AfterTheStep,
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_resume_at_the_end_of_a_slice_loses_no_wakeup_and_repeats_no_step() {
    model();
    let _calm = shared_workers().await;
    let racing = [Resume::WithTheAnswer; 4];
    for moment in [Resume::BeforeTheAnswer, Resume::AfterTheStep]
        .into_iter()
        .chain(racing)
    {
        let (id, word) = held_in_step_one(2).await;
        suspend(&id).await;
        match moment {
            Resume::BeforeTheAnswer => {
                resume(&id).await;
                release(&word);
            }
            Resume::WithTheAnswer => {
                release(&word);
                resume(&id).await;
            }
            Resume::AfterTheStep => {
                release(&word);
                until_step_one_is_done(&id).await;
                resume(&id).await;
            }
        }
        until_status(&id, "completed").await;
        let made = calls(&word);
        assert_eq!(
            made.iter().filter(|call| *call == "step_1").count(),
            1,
            "{moment:?}: {made:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_cancel_during_a_step_ends_the_run_and_allows_a_new_task_in_any_mode() {
    model();
    let _calm = shared_workers().await;
    for (mode, phase) in [("planning-control", "planning"), ("one-shot", "execution")] {
        cancelled_and_given_another_task(mode, phase).await;
    }
}

async fn cancelled_and_given_another_task(mode: &str, phase: &str) {
    let id = create(mode).await;
    let run = start(&id, "[[slow=2000]]").await;
    until(&id, phase, |detail| detail["current_phase"] == phase).await;
    post_empty(&format!("/api/sessions/{id}/runs/{run}/cancel"))
        .await
        .ok();
    let detail = detail(&id).await;
    assert_eq!(
        (&detail["status"], &detail["suspend_reason"]),
        (&json!("suspended"), &json!("user_requested"))
    );
    start(&id, "[[steps=1]]").await;
    until_status(&id, "completed").await;
    let events = record(&id).await;
    assert_eq!(
        (
            count(&events, "workflow_cancelled"),
            count(&events, "complete")
        ),
        (1, 1)
    );
    let late = events
        .iter()
        .skip_while(|event| event["event_type"] != "workflow_cancelled")
        .skip(1);
    assert_eq!(
        late.filter(|event| event["run_id"] == json!(run)).count(),
        0,
        "the old worker wrote nothing more"
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_delete_during_a_step_stops_the_run_and_leaves_no_items() {
    model();
    let _calm = shared_workers().await;
    let id = create("planning-control").await;
    start(&id, "[[slow=1500]]").await;
    until(&id, "planning", |detail| {
        detail["current_phase"] == "planning"
    })
    .await;
    delete(&format!("/api/sessions/{id}")).await.ok();
    let before = stack().items(&id).await.len();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(
        stack().items(&id).await.len(),
        before,
        "the old worker wrote nothing"
    );
    let left = eventually("the last entry and the second purge are left", || async {
        stack().sweep().await;
        let items = stack().items(&id).await;
        (items.len() == 2).then_some(items)
    })
    .await;
    assert!(left[0]["SK"].as_s().unwrap().starts_with("LOG#") && left[0].contains_key("ttl"));
    assert_eq!(left[1]["SK"].as_s().unwrap(), "SUMMARY");
    assert_eq!(
        get(&format!("/api/sessions/{id}")).await.problem(),
        (404, "session_not_found")
    );
}
