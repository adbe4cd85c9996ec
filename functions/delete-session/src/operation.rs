//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "DELETE /api/sessions/{session_id}",
        BodySchema::done("The session is deleted."),
    )
    .takes_nothing()
}
