//! An answer over a WebSocket: what the connection is told, and that it concerns the followed
//! session alone.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod connection;

use lambda_kit::now;
use lambda_kit::testing::wire::{approval, entry, found, got, got_all};
use lambda_kit::testing::{ID, Wire};
use serde_json::{Value, json};
use session::{ApprovalRow, ApprovalStatus};

use connection::{connected, open, told};

/// The connection as a follower of its session.
fn follower() -> Value {
    json!({"SK": "CONNECTION#one", "connection_id": "one", "ttl": now().as_seconds() + 60})
}

fn says(rest: Value) -> Value {
    let mut frame = json!({"type": "approval_response", "approval_id": ID});
    for (name, value) in rest.as_object().unwrap() {
        frame[name] = value.clone();
    }
    frame
}

#[tokio::test]
async fn an_answer_is_recorded_and_has_no_reply_beside_it() {
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
            ("Query", found(&[follower()])),
        ]);
        let answer = json!({"resolution": "modified", "modifications": modifications});
        let frames = told(&wire, says(answer)).await;
        let [received] = &frames[..] else {
            panic!("one event and no reply: {frames:?}");
        };
        assert_eq!(received["event_type"], "approval_received");
        assert_eq!(received["seq"], state.last_seq.0 + 1);
        assert_eq!(
            received["data"],
            json!({
                "approval_id": ID, "approved": false, "resolution": "modify", "feedback": null,
                "modifications": plan, "resolved_by": "user-42",
            })
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
    let again = json!({"approved": true, "feedback": "Fine."});
    let frames = told(&Wire::new(replies()), says(again)).await;
    assert_eq!(frames[0]["event_type"], "approval_received");
    assert_eq!(
        frames[0]["data"],
        json!({
            "approval_id": ID, "approved": true, "resolution": "approve", "feedback": "Fine.",
            "modifications": null, "resolved_by": "bob",
        })
    );
    assert_eq!(frames[0]["seq"], Value::Null);
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
