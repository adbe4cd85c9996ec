//! The route from outside, for the documents of the API.

use lambda_kit::Code;
use lambda_kit::api::{BodySchema, Operation};
use schemars::JsonSchema;

/// What is said on a resume.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "a form alone: the handler takes the fields out one by one"
)]
struct Resume {
    /// Becomes a message of the history; at most 32 KiB.
    additional_context: Option<String>,
}

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
    ])
}
