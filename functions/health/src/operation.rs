//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};

use crate::Health;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/health",
        BodySchema::of::<Health>(r#"{"status": "ok"}"#),
    )
}
