//! The route from outside, for the documents of the API.

use lambda_kit::Code;
use lambda_kit::api::{BodySchema, Operation};
use run_files::path_parameter;

use crate::FileContent;

const CONTENT: &str = r##"{
    "path": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17/01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20/answer.md",
    "content": "# Tides\n\nThe moon raises two bulges of water.",
    "content_type": "text/markdown; charset=utf-8",
    "size": 45,
    "truncated": false
}"##;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/files/content",
        BodySchema::of::<FileContent>(CONTENT),
    )
    .query([path_parameter()])
    .refuses(&[Code::FileNotFound, Code::NotText])
}
