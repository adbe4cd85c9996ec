//! The route from outside, for the documents of the API.

use lambda_kit::Code;
use lambda_kit::api::{BodySchema, Operation, Parameter};
use session::RunId;

use crate::NodeFiles;

const FILES: &str = r#"{
    "node_id": "step_1",
    "files": [
        {
            "id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17/01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20/step_1_count.py",
            "file_path": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17/01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20/step_1_count.py",
            "file_name": "step_1_count.py",
            "file_type": "text/plain",
            "size_bytes": 912,
            "node_id": "step_1",
            "step_id": "step_1",
            "agent_name": "engineer",
            "created_at": "2026-09-21T14:13:58.000000Z",
            "event_id": "23"
        }
    ],
    "truncated": false
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/nodes/{node_id}/files",
        BodySchema::of::<NodeFiles>(FILES),
    )
    .query([Parameter::word::<RunId>("run_id", "The run that the node belongs to.").required()])
    .refuses(&[Code::RunNotFound])
}
