//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/sessions/{session_id}/runs/{run_id}/costs",
        BodySchema::run_costs(),
    )
}
