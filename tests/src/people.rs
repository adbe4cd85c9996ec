//! Answers the questions of a run: waits until one is open, checks everything that a client sees
//! meanwhile, and answers it.

use serde_json::{Value, json};

use crate::rest::{Reply, create_with, detail, get, newest_run, post, start};
use crate::stack::eventually;

/// The session's approvals that match the query, newest first.
pub async fn approvals(session: &str, query: &str) -> Vec<Value> {
    let path = format!("/api/sessions/{session}/approvals{query}");
    let page = get(&path).await.ok();
    assert_eq!(page["session_id"], session);
    page["approvals"].as_array().unwrap().clone()
}

/// One approval of the session.
pub async fn approval(session: &str, id: &Value) -> Value {
    let all = approvals(session, "").await.into_iter();
    let mut found = all.filter(|approval| approval["approval_id"] == *id);
    found
        .next()
        .unwrap_or_else(|| panic!("{session} has no {id}"))
}

/// A session that asks about its plan, and the question.
pub async fn asking() -> (String, Value) {
    let config = json!({"checkpoints": "after_planning", "nPlanReviews": 0});
    let session = create_with("planning-control", &config).await;
    start(&session, "Measure the tides. [[steps=1]]").await;
    let open = question(&session, "during_planning").await;
    (session, open)
}

/// Waits until the session asks at this checkpoint and returns the approval. Checks that the whole
/// session waits.
pub async fn question(session: &str, checkpoint: &str) -> Value {
    eventually(&format!("{checkpoint} of {session}"), || async {
        let run = newest_run(session).await;
        let status = run["status"].as_str().unwrap();
        let works = ["queued", "running"].contains(&status);
        assert!(
            works || status == "waiting_approval",
            "no {checkpoint}: {run}"
        );
        (!works).then_some(())
    })
    .await;
    let mut open = approvals(session, "?status=pending").await;
    assert_eq!(open.len(), 1, "{open:?}");
    let open = open.remove(0);
    assert_eq!(open["checkpoint_type"], checkpoint, "{open}");
    waits(session, &open).await;
    open
}

/// Checks what clients see while a question is open.
async fn waits(session: &str, open: &Value) {
    assert!(!open["message"].as_str().unwrap().is_empty() && open["expires_at"].is_string());
    for field in [
        "resolution",
        "feedback",
        "modifications",
        "resolved_by",
        "resolved_at",
    ] {
        assert_eq!(open[field], Value::Null, "{field}");
    }
    let detail = detail(session).await;
    assert_eq!(
        (
            &detail["status"],
            &detail["suspend_reason"],
            &detail["active_run"]
        ),
        (
            &json!("suspended"),
            &json!("approval_required"),
            &open["run_id"]
        )
    );
    let run = newest_run(session).await;
    assert_eq!(
        (&run["id"], &run["status"]),
        (&open["run_id"], &json!("waiting_approval"))
    );
    let before = detail["version"].as_u64().unwrap() - 1;
    let path = format!("/api/sessions/{session}/events?after={before}");
    let mut last = get(&path).await.ok();
    let last = last["events"][0].take();
    assert_eq!(last["event_type"], "approval_requested");
    for field in [
        "approval_id",
        "step_id",
        "checkpoint_type",
        "message",
        "options",
        "context",
        "expires_at",
    ] {
        assert_eq!(last["data"][field], open[field], "{field}");
    }
}

/// Answers by REST.
pub async fn answer(session: &str, approval: &Value, body: &Value) -> Reply {
    let id = approval["approval_id"].as_str().unwrap();
    post(&format!("/api/sessions/{session}/approvals/{id}"), body).await
}

/// Waits for the question at this checkpoint and answers it by REST with an option.
pub async fn choose(session: &str, checkpoint: &str, option: &str) -> Value {
    let open = question(session, checkpoint).await;
    answer(session, &open, &json!({"resolution": option}))
        .await
        .ok()
}

/// Waits for the question at this checkpoint and answers it by REST with an option and a feedback
/// text.
pub async fn tell(session: &str, checkpoint: &str, option: &str, words: &str) -> Value {
    let open = question(session, checkpoint).await;
    let body = json!({"resolution": option, "feedback": words});
    answer(session, &open, &body).await.ok()
}
