//! The route from outside, for the documents of the API.

use lambda_kit::api::{Body, Operation};
use lambda_kit::{Action, Code};

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "POST /api/sessions/{session_id}/suspend",
        Body::of::<Action>(
            r#"{"success": true, "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17", "message": "The session is suspended."}"#,
        ),
    )
    .takes_nothing()
    .refuses(&[Code::SessionNotActive, Code::RunCannotPause])
}
