//! The route from outside, for the documents of the API.

use lambda_kit::Code;
use lambda_kit::api::{BodySchema, Operation};
use session::RunRow;

use crate::TaskBody;

const NEW_RUN: &str =
    r#"{"task": "Explain the tides. The moon pulls at the sea. The sun pulls too."}"#;

const RUN: &str = r#"{
    "id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "task_id": null,
    "mode": "planning-control",
    "agent": "planner",
    "model": "offline/extract-1",
    "status": "queued",
    "task_description": "Explain the tides. The moon pulls at the sea. The sun pulls too.",
    "started_at": null,
    "completed_at": null,
    "is_branch": false,
    "error": null,
    "meta": {}
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "POST /api/sessions/{session_id}/runs",
        BodySchema::of::<RunRow>(RUN),
    )
    .takes(BodySchema::of::<TaskBody>(NEW_RUN))
    .once()
    .accepted()
    .refuses(&[
        Code::RunUnfinished,
        Code::ModeCannotContinue,
        Code::ModeMismatch,
        Code::EmptyTask,
        Code::InvalidConfig,
        Code::TooManyRuns,
        Code::BudgetSpent,
    ])
}
