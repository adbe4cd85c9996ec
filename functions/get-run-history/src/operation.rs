//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation, Parameter};
use session_manager::EventKind;

use crate::{LIMIT, MAX_LIMIT, RunHistoryPage};

const HISTORY: &str = r#"{
    "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "total_events": 31,
    "events": [
        {
            "id": "14",
            "timestamp": "2026-09-21T14:13:40.125000Z",
            "event_type": "agent_message",
            "event_subtype": "assistant",
            "node_id": "step_1",
            "agent_name": "researcher",
            "description": "researcher: The moon pulls at the sea.",
            "status": "completed",
            "duration_ms": null,
            "inputs": null,
            "outputs": "The moon pulls at the sea.",
            "error_message": null,
            "meta": {"agent": "researcher", "role": "assistant"}
        }
    ],
    "next_cursor": null
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/runs/{run_id}/history",
        BodySchema::of::<RunHistoryPage>(HISTORY),
    )
    .query([
        Parameter::text(
            "event_type",
            "Only events of this kind.",
            EventKind::PATTERN,
        ),
        Parameter::limit(MAX_LIMIT, LIMIT),
        Parameter::cursor(),
    ])
}
