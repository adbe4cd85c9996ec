//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};

use crate::RunFiles;

const FILES: &str = r#"{
    "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "files": [
        {
            "id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17/01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20/answer.md",
            "file_path": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17/01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20/answer.md",
            "file_name": "answer.md",
            "file_type": "text/markdown",
            "size_bytes": 4187,
            "node_id": "step_2",
            "step_id": "step_2",
            "agent_name": "researcher",
            "created_at": "2026-09-21T14:14:31.000000Z",
            "event_id": "41"
        }
    ],
    "truncated": false
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/runs/{run_id}/files",
        BodySchema::of::<RunFiles>(FILES),
    )
}
