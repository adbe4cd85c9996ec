//! The route from outside, for the documents of the API.

use lambda_kit::Code;
use lambda_kit::api::{BodySchema, Operation};

use crate::Resume;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "POST /api/sessions/{session_id}/resume",
        BodySchema::done("The session is resumed; its run goes on from the last saved step."),
    )
    .takes(
        BodySchema::of::<Resume>(r#"{"additional_context": "Mention spring tides."}"#).optional(),
    )
    .refuses(&[
        Code::SessionNotSuspended,
        Code::ModeWithoutResume,
        Code::ApprovalOpen,
        Code::NothingToResume,
        Code::TooManyRuns,
        Code::BudgetSpent,
    ])
}
