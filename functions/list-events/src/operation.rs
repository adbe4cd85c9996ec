//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation, Parameter};

use crate::{Events, LIMIT, MAX_LIMIT};

const EVENTS: &str = r#"{
    "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17",
    "events": [
        {
            "event_type": "step_start",
            "timestamp": "2026-09-21T14:13:34.000000Z",
            "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
            "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17",
            "seq": 13,
            "data": {"step_number": 1, "goal": "Explain the tides."}
        }
    ],
    "last_seq": 31,
    "next_after": 13
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/sessions/{session_id}/events",
        BodySchema::of::<Events>(EVENTS),
    )
    .query([
        Parameter::seq(
            "after",
            "Only events behind this place of the record; 0 without it.",
            0,
        ),
        Parameter::limit(MAX_LIMIT, LIMIT),
    ])
}
