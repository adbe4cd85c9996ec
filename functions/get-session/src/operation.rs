//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};

use crate::Page;

const PAGE: &str = r#"{
    "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17",
    "name": "Tides",
    "mode": "planning-control",
    "status": "suspended",
    "current_phase": "control",
    "current_step": 1,
    "progress": 0,
    "last_run_status": "paused",
    "created_at": "2026-09-21T14:13:20.000000Z",
    "updated_at": "2026-09-21T14:13:41.250000Z",
    "conversation_history": [
        {
            "seq": 3,
            "role": "user",
            "content": "Explain the tides. The moon pulls at the sea. The sun pulls too.",
            "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
            "timestamp": "2026-09-21T14:13:22.125000Z"
        }
    ],
    "context_variables": {},
    "plan_data": [
        {
            "sub_task": "Explain the tides.",
            "sub_task_agent": "researcher",
            "bullet_points": ["The moon pulls at the sea."]
        }
    ],
    "config": {"maxPlanSteps": 3},
    "suspend_reason": "user_requested",
    "error": null,
    "active_run": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "version": 17
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/sessions/{session_id}",
        BodySchema::of::<Page>(PAGE),
    )
}
