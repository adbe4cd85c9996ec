//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation, Parameter};

use crate::{LIMIT, MAX_LIMIT, Runs};

const RUNS: &str = r#"{
    "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17",
    "total_runs": 1,
    "runs": [{
    "id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "task_id": null,
    "mode": "planning-control",
    "agent": "planner",
    "model": "offline/extract-1",
    "status": "completed",
    "task_description": "Explain the tides. The moon pulls at the sea. The sun pulls too.",
    "started_at": "2026-09-21T14:13:22.500000Z",
    "completed_at": "2026-09-21T14:13:58.250000Z",
    "is_branch": false,
    "error": null,
    "meta": {}
}],
    "next_cursor": null
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/sessions/{session_id}/runs",
        BodySchema::of::<Runs>(RUNS),
    )
    .query([Parameter::limit(MAX_LIMIT, LIMIT), Parameter::cursor()])
}
