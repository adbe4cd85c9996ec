//! The route from outside, for the documents of the API.

use lambda_kit::Code;
use lambda_kit::api::{BodySchema, Operation};
use session_manager::SessionSummary;

use crate::SessionBody;

const NEW_SESSION: &str = r#"{"mode": "planning-control", "name": "Tides"}"#;

const SUMMARY: &str = r#"{
    "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17",
    "name": "Tides",
    "mode": "planning-control",
    "status": "active",
    "current_phase": "init",
    "current_step": null,
    "progress": null,
    "last_run_status": null,
    "created_at": "2026-09-21T14:13:20.000000Z",
    "updated_at": "2026-09-21T14:13:20.250000Z"
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "POST /api/sessions",
        BodySchema::of::<SessionSummary>(SUMMARY),
    )
    .takes(BodySchema::of::<SessionBody>(NEW_SESSION))
    .once()
    .refuses(&[Code::InvalidConfig])
}
