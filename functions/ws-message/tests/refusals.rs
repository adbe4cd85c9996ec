//! Refused frames: what follows their `error`.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod connection;

use lambda_kit::testing::Wire;
use lambda_kit::testing::wire::{approval, entry, found, got, no_place};
use serde_json::{Value, json};

use connection::{connected, open, told};

#[tokio::test]
async fn a_refused_answer_gets_the_open_approval_again() {
    let (state, row) = open();
    for (answer, code) in [
        (json!({"resolution": "dance"}), "not_an_option"),
        (json!({"resolution": 7}), "invalid_field"),
    ] {
        // One read of state and row for the answer, if it can be read, and one for the reply.
        let reads = if code == "not_an_option" { 2 } else { 1 };
        let mut replies = vec![connected(Some(lambda_kit::testing::ID))];
        for _ in 0..reads {
            replies.push(("Query", found(&[entry(&state)])));
            replies.push(("GetItem", got(&approval(&row))));
        }
        let mut frame = json!({"type": "resolve_approval", "approval_id": row.approval_id});
        frame["resolution"] = answer["resolution"].clone();
        let frames = told(&Wire::new(replies), frame).await;
        assert_eq!(frames.len(), 2, "{frames:?}");
        assert_eq!(frames[0]["event_type"], "error");
        assert_eq!(frames[0]["data"]["code"], code);
        assert_eq!(frames[1]["event_type"], "approval_requested");
        assert_eq!(frames[1]["seq"], Value::Null);
        let data = &frames[1]["data"];
        assert_eq!(data["approval_id"], json!(row.approval_id));
        assert_eq!(data["action"], "approve_plan");
        assert_eq!(data["description"], data["message"]);
        assert_eq!(data["options"], json!(row.options));
    }
}

#[tokio::test]
async fn a_refused_task_gets_the_end_of_a_run_that_was_not_started() {
    let frames = told(&Wire::new([connected(None)]), json!({"task": " "})).await;
    assert_eq!(frames.len(), 2, "{frames:?}");
    assert_eq!(frames[0]["data"]["code"], "empty_task");
    assert_eq!(frames[1]["event_type"], "workflow_failed");
    assert_eq!(
        (&frames[1]["seq"], &frames[1]["run_id"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        frames[1]["data"],
        json!({"run_id": null, "error": "The task is empty.", "failed_step": null})
    );
}

#[tokio::test]
async fn a_task_beyond_the_limit_of_live_runs_is_refused_and_stores_nothing() {
    // The connection, and no use of its task id.
    let replies = [connected(None), ("GetItem", json!({}))];
    let wire = Wire::new(replies.into_iter().chain(no_place()));
    let frames = told(&wire, json!({"task": "Explain the tides."})).await;
    let kinds: Vec<_> = frames.iter().map(|frame| &frame["event_type"]).collect();
    assert_eq!(kinds, ["error", "workflow_failed"]);
    assert_eq!(frames[0]["data"]["code"], "too_many_runs");
    assert_eq!(frames[1]["data"]["error"], frames[0]["data"]["message"]);
    let asked = wire.asked();
    assert_eq!(asked, ["GetItem", "GetItem", "UpdateItem", "BatchGetItem"]);
}

#[tokio::test]
async fn any_other_refused_frame_gets_an_error_alone() {
    let frames = told(&Wire::new([connected(None)]), json!({"type": "dance"})).await;
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!(frames[0]["data"]["code"], "unknown_frame");
}
