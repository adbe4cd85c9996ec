//! A connection of the local owner, over recorded replies of the table.

use std::time::Duration;

use agents::{ModelSettings, Models};
use lambda_kit::now;
use lambda_kit::testing::Wire;
use lambda_kit::testing::wire::{asked, got};
use lambda_kit::websocket::SocketEvent;
use serde_json::{Value, json};
use session::{ApprovalRow, OwnerId, State};
use ws_message::{Deps, handle};

/// A session with an open approval.
pub fn open() -> (State, ApprovalRow) {
    asked(now().plus(Duration::from_secs(3600)))
}

/// The reply to the read of the connection, which follows this session and its run.
pub fn connected(follows: Option<&str>) -> (&'static str, Value) {
    let connection = json!({
        "owner": OwnerId::of("local", "local"), "task_id": "tides", "session_id": follows, "run_id": follows,
        "ttl": now().as_seconds() + 60,
    });
    ("GetItem", got(&connection))
}

/// The frames that the connection gets for a frame.
pub async fn told(wire: &Wire, frame: Value) -> Vec<Value> {
    let app = wire.app_with_a_limit();
    let deps = Deps {
        outbox: wire.outbox(&app),
        app,
        models: Models::new(&ModelSettings::read(|_| None).unwrap()).unwrap(),
    };
    let sample = include_str!("../../../../events/ws-message.json");
    let mut event: Value = serde_json::from_str(sample).unwrap();
    event["body"] = frame.to_string().into();
    let event: SocketEvent = serde_json::from_value(event).unwrap();
    handle(&deps, event).await.unwrap();
    wire.pushed()
}
