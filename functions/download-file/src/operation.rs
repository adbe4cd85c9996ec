//! The route from outside, for the documents of the API.

use lambda_kit::Code;
use lambda_kit::api::{BodySchema, Operation};
use run_files::path_parameter;

const ANSWER: &str = r##""# Tides\n\nThe moon raises two bulges of water.""##;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/files/download",
        BodySchema::markdown(ANSWER),
    )
    .redirects()
    .query([path_parameter()])
    .refuses(&[Code::FileNotFound])
}
