//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};
use session_manager::SessionSummary;

use crate::NameBody;

const NAME: &str = r#"{"name": "Tides and currents"}"#;

const SUMMARY: &str = r#"{
    "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17",
    "name": "Tides and currents",
    "mode": "planning-control",
    "status": "active",
    "current_phase": "control",
    "current_step": 2,
    "progress": 33,
    "last_run_status": "running",
    "created_at": "2026-09-21T14:13:20.000000Z",
    "updated_at": "2026-09-21T14:13:20.250000Z"
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "PATCH /api/sessions/{session_id}",
        BodySchema::of::<SessionSummary>(SUMMARY),
    )
    .takes(BodySchema::of::<NameBody>(NAME))
}
