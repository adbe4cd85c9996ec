//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation, Parameter};

use crate::{History, LIMIT, MAX_LIMIT};

const HISTORY: &str = r#"{
    "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17",
    "total_messages": 4,
    "messages": [
        {
            "seq": 12,
            "role": "assistant",
            "content": "The moon pulls at the sea.",
            "agent": "researcher",
            "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
            "timestamp": "2026-09-21T14:13:40.125000Z"
        }
    ],
    "next_before": 12
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/sessions/{session_id}/history",
        BodySchema::of::<History>(HISTORY),
    )
    .query([
        Parameter::limit(MAX_LIMIT, LIMIT),
        Parameter::seq(
            "before",
            "Only messages before this place of the record.",
            1,
        ),
    ])
}
