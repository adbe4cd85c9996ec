//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};
use lambda_kit::{AnswerBody, Code};
use session::ApprovalRow;

const APPROVAL: &str = r#"{
    "approval_id": "01936e5c-b3f4-7d08-a1c5-3b7e9f2d4a60",
    "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "step_id": null,
    "checkpoint_type": "during_planning",
    "message": "Shall the plan be carried out?",
    "options": ["approve", "reject", "revise", "modify"],
    "context": {"steps": 1},
    "status": "resolved",
    "resolution": "revise",
    "feedback": "One step is enough.",
    "modifications": null,
    "resolved_by": "ada",
    "created_at": "2026-09-21T14:13:30.000000Z",
    "expires_at": "2026-09-28T14:13:30.000000Z",
    "resolved_at": "2026-09-21T14:20:01.500000Z"
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "POST /api/sessions/{session_id}/approvals/{approval_id}",
        BodySchema::of::<ApprovalRow>(APPROVAL),
    )
    .takes(BodySchema::of::<AnswerBody>(
        r#"{"resolution": "revise", "feedback": "One step is enough."}"#,
    ))
    .refuses(&[
        Code::ApprovalResolved,
        Code::ApprovalCancelled,
        Code::ApprovalExpired,
        Code::NotAnOption,
        Code::InvalidAnswer,
    ])
}
