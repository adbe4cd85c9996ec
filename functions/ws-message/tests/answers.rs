//! An answer over a WebSocket: what the connection is told, and that it concerns the followed
//! session alone.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod connection;

use lambda_kit::testing::wire::{approval, entry, found, got, got_all};
use lambda_kit::testing::{ID, Wire};
use serde_json::{Value, json};
use session::{ApprovalRow, ApprovalStatus};

use connection::{connected, open, told};

fn says(rest: Value) -> Value {
    let mut frame = json!({"type": "approval_response", "approval_id": ID});
    for (name, value) in rest.as_object().unwrap() {
        frame[name] = value.clone();
    }
    frame
}

#[tokio::test]
async fn an_answer_is_received_with_a_null_seq() {
    let (state, row) = open();
    let config = json!({"SK": "CONFIG", "config": "{}"});
    let plan = json!({"plan": [{"sub_task": "Look.", "sub_task_agent": "researcher"}]});
    for modifications in [plan.clone(), plan.to_string().into()] {
        let wire = Wire::new([
            connected(Some(ID)),
            ("Query", found(&[entry(&state)])),
            ("GetItem", got(&approval(&row))),
            ("BatchGetItem", got_all(std::slice::from_ref(&config))),
            ("TransactWriteItems", json!({})),
        ]);
        let answer = json!({"resolution": "modified", "modifications": modifications});
        let frames = told(&wire, says(answer)).await;
        assert_eq!(frames.len(), 1, "{frames:?}");
        assert_eq!(frames[0]["event_type"], "approval_received");
        assert_eq!(frames[0]["seq"], Value::Null);
        assert_eq!(frames[0]["session_id"], ID);
        assert_eq!(
            frames[0]["data"],
            json!({"approval_id": ID, "approved": false, "resolution": "modify", "feedback": null})
        );
    }
}

#[tokio::test]
async fn the_same_answer_again_is_received_again_and_another_is_an_error() {
    let (state, open) = open();
    let row = ApprovalRow {
        status: ApprovalStatus::Resolved,
        resolution: Some("approve".into()),
        feedback: Some("Fine.".into()),
        resolved_by: Some("bob".into()),
        ..open
    };
    let replies = || {
        [
            connected(Some(ID)),
            ("Query", found(&[entry(&state)])),
            ("GetItem", got(&approval(&row))),
        ]
    };
    let frames = told(&Wire::new(replies()), says(json!({"approved": true}))).await;
    assert_eq!(frames[0]["event_type"], "approval_received");
    assert_eq!(
        frames[0]["data"],
        json!({"approval_id": ID, "approved": true, "resolution": "approve", "feedback": "Fine."})
    );
    let frames = told(&Wire::new(replies()), says(json!({"approved": false}))).await;
    assert_eq!(frames[0]["event_type"], "error");
    assert_eq!(frames[0]["data"]["code"], "approval_resolved");
    assert_eq!(
        frames[0]["data"]["message"],
        "The approval was already answered by bob with approve."
    );
}

#[tokio::test]
async fn an_answer_concerns_the_followed_session_alone() {
    let (state, _) = open();
    let unfollowed = Wire::new([connected(None)]);
    let frames = told(&unfollowed, says(json!({"approved": true}))).await;
    assert_eq!(frames[0]["data"]["code"], "no_session_followed");
    // The question is one of another session: the followed one has no such row.
    let other = Wire::new([
        connected(Some(ID)),
        ("Query", found(&[entry(&state)])),
        ("GetItem", json!({})),
    ]);
    let frames = told(&other, says(json!({"approved": true}))).await;
    assert_eq!(frames[0]["data"]["code"], "approval_not_found");
}
