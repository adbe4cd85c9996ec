//! The route from outside, for the documents of the API.

use lambda_kit::Code;
use lambda_kit::api::{BodySchema, Operation, Parameter};
use session::RunId;

use crate::NodeEvents;

const EVENTS: &str = r#"{
    "node_id": "step_1",
    "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "events": [
        {
            "id": "13",
            "timestamp": "2026-09-21T14:13:34.000000Z",
            "event_type": "step_start",
            "event_subtype": null,
            "node_id": "step_1",
            "agent_name": null,
            "description": "Step 1 starts: Explain the tides.",
            "status": "running",
            "duration_ms": null,
            "inputs": "Explain the tides.",
            "outputs": null,
            "error_message": null,
            "meta": {"step_number": 1}
        }
    ],
    "truncated": false,
    "next_cursor": null
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/nodes/{node_id}/events",
        BodySchema::of::<NodeEvents>(EVENTS),
    )
    .query([
        Parameter::word::<RunId>("run_id", "The run that has the node.").required(),
        Parameter::word::<bool>(
            "include_internal",
            "Whether bookkeeping is wanted; no without it.",
        ),
        Parameter::cursor(),
    ])
    .refuses(&[Code::RunNotFound])
}
