//! A run with one answer, and a bucket with its artifacts.

use documents::testing::Bucket;
use lambda_kit::testing::wire::{entry_with, found, got, locator, queued, run};
use lambda_kit::testing::{ID, Wire};
use serde_json::{Value, json};
use session::{Event, OwnerId, Seq};

/// What the table answers about the run [`ID`]: its locator, the session's state, its row, and its
/// record.
///
/// # Panics
/// When an event is no event.
pub fn replies(completed: bool) -> [(&'static str, Value); 4] {
    let new = queued();
    let mut row = run(&new);
    row["first_seq"] = json!(1);
    if completed {
        row["status"] = json!("completed");
        row["completed_at"] = json!(new.state.created_at);
        row["last_seq"] = json!(2);
    }
    let events = json!([
        {"run_id": ID, "event_type": "dag_node_status_changed", "data": {
            "node_id": "step_1", "old_status": "pending", "new_status": "running",
        }},
        {"run_id": ID, "event_type": "agent_message", "data": {
            "agent": "engineer", "role": "assistant", "message": "An answer.",
            "artifact": "step_1_a.py",
        }},
    ]);
    let mut state = new.state.clone();
    if completed {
        state.run = None;
    }
    state.last_seq = Seq(2);
    let events: Vec<Event> = serde_json::from_value(events).expect("events as they are stored");
    let log = found(&[entry_with(&state, &events)]);
    [
        ("GetItem", got(&locator())),
        ("Query", log.clone()),
        ("GetItem", got(&row)),
        ("Query", log),
    ]
}

/// The operations of the table, in alphabetical order, because some are concurrent.
pub fn reads(wire: &Wire) -> Vec<String> {
    let mut asked = wire.asked();
    asked.sort();
    asked
}

/// A bucket with these artifacts of the run.
pub fn listing(names: &[&str]) -> Bucket {
    let owner = OwnerId::of("local", "local");
    let contents: String = names
        .iter()
        .map(|name| {
            format!(
                "<Contents><Key>{owner}/{ID}/{ID}/{name}</Key><Size>7</Size>\
                <LastModified>2026-09-21T14:13:34.000Z</LastModified></Contents>"
            )
        })
        .collect();
    let list =
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>");
    Bucket::new(move |_, _| (200, "application/xml", list.clone()))
}
