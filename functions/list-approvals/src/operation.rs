//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation, Parameter};
use session::ApprovalStatus;

use crate::{Approvals, LIMIT, MAX_LIMIT};

const APPROVALS: &str = r#"{
    "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17",
    "approvals": [{
    "approval_id": "01936e5c-b3f4-7d08-a1c5-3b7e9f2d4a60",
    "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "step_id": null,
    "checkpoint_type": "during_planning",
    "message": "Shall the plan be carried out?",
    "options": ["approve", "reject", "revise", "modify"],
    "context": {"steps": 1},
    "status": "pending",
    "resolution": null,
    "feedback": null,
    "modifications": null,
    "resolved_by": null,
    "created_at": "2026-09-21T14:13:30.000000Z",
    "expires_at": "2026-09-28T14:13:30.000000Z",
    "resolved_at": null
}],
    "next_cursor": null
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/sessions/{session_id}/approvals",
        BodySchema::of::<Approvals>(APPROVALS),
    )
    .query([
        Parameter::word::<ApprovalStatus>("status", "Only approvals of this status."),
        Parameter::limit(MAX_LIMIT, LIMIT),
        Parameter::cursor(),
    ])
}
