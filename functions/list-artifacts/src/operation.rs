//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation, Parameter};

use crate::{LIMIT, MAX_LIMIT, Page};

const PAGE: &str = r#"{
    "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17",
    "artifacts": [
        {
            "name": "step_1_engineer.md",
            "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
            "content_type": "text/markdown; charset=utf-8",
            "size": 41877,
            "created_at": "2026-09-21T14:13:58.000000Z",
            "url": "https://bucket.s3.eu-central-1.amazonaws.com/…/step_1_engineer.md?X-Amz-Signature=…"
        },
        {
            "name": "tides.pdf",
            "run_id": null,
            "content_type": "application/pdf",
            "size": 48213,
            "created_at": "2026-09-21T14:13:21.000000Z",
            "url": "https://bucket.s3.eu-central-1.amazonaws.com/…/uploads/tides.pdf?X-Amz-Signature=…"
        }
    ],
    "next_cursor": null
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/sessions/{session_id}/artifacts",
        BodySchema::of::<Page>(PAGE),
    )
    .query([Parameter::limit(MAX_LIMIT, LIMIT), Parameter::cursor()])
}
