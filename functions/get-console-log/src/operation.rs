//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation, Parameter};
use session_manager::ConsoleLog;

use crate::{MAX_TAIL, TAIL};

const LOG: &str = r#"{
    "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "log_path": "runs/01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20/console.log",
    "total_lines": 31,
    "returned_lines": 1,
    "content": "2026-09-21T14:13:52.000000Z complete The run is complete.",
    "truncated": false
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/runs/{run_id}/console-log",
        BodySchema::of::<ConsoleLog>(LOG),
    )
    .query([Parameter::count(
        "tail",
        "The most lines, the newest ones.",
        MAX_TAIL,
        TAIL,
    )])
}
