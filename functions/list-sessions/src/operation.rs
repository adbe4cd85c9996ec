//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation, Parameter};
use session::{Mode, SessionStatus};

use crate::{LIMIT, MAX_LIMIT, Sessions};

const SESSIONS: &str = r#"{
    "sessions": [{
    "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17",
    "name": "Tides",
    "mode": "planning-control",
    "status": "completed",
    "current_phase": "completed",
    "current_step": null,
    "progress": 100,
    "last_run_status": "completed",
    "created_at": "2026-09-21T14:13:20.000000Z",
    "updated_at": "2026-09-21T14:13:58.250000Z"
    }],
    "total": 1,
    "next_cursor": null
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/sessions",
        BodySchema::of::<Sessions>(SESSIONS),
    )
    .query([
        Parameter::word::<SessionStatus>("status", "Only sessions of this status."),
        Parameter::word::<Mode>("mode", "Only sessions of this mode."),
        Parameter::limit(MAX_LIMIT, LIMIT),
        Parameter::cursor(),
    ])
}
