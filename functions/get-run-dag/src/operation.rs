//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};
use session_manager::RunGraph;

const GRAPH: &str = r#"{
    "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "nodes": [
        {
            "id": "planning",
            "label": "Planning",
            "type": "planning",
            "status": "completed",
            "agent": "planner",
            "stepNumber": null,
            "name": "Planning",
            "goal": null,
            "description": null,
            "summary": null,
            "order_index": 0,
            "started_at": "2026-09-21T14:13:21.000000Z",
            "completed_at": "2026-09-21T14:13:33.000000Z",
            "error": null
        },
        {
            "id": "step_1",
            "label": "Step 1",
            "type": "agent",
            "status": "running",
            "agent": "researcher",
            "stepNumber": 1,
            "name": "Step 1",
            "goal": "Explain the tides.",
            "description": "Name the moon.",
            "summary": null,
            "order_index": 1,
            "started_at": "2026-09-21T14:13:34.000000Z",
            "completed_at": null,
            "error": null
        }
    ],
    "edges": [{"id": "planning-step_1", "source": "planning", "target": "step_1", "type": "sequential"}],
    "levels": [["planning"], ["step_1"]],
    "truncated": false
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/runs/{run_id}/dag",
        BodySchema::of::<RunGraph>(GRAPH),
    )
}
