//! The route from outside, for the documents of the API.

use lambda_kit::Code;
use lambda_kit::api::{BodySchema, Operation};

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "POST /api/sessions/{session_id}/suspend",
        BodySchema::done("The session is suspended."),
    )
    .takes_nothing()
    .refuses(&[Code::SessionNotActive, Code::RunCannotPause])
}
