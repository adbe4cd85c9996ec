//! The route from outside, for the documents of the API.

use lambda_kit::Code;
use lambda_kit::api::{BodySchema, Operation};

use crate::{NewUpload, Upload};

const NEW_UPLOAD: &str =
    r#"{"name": "tides.pdf", "content_type": "application/pdf", "size": 48213}"#;

const UPLOAD: &str = r#"{
    "artifact": "tides.pdf",
    "url": "https://bucket.s3.eu-central-1.amazonaws.com/…/uploads/tides.pdf?X-Amz-Signature=…",
    "method": "PUT",
    "headers": {"content-length": "48213", "content-type": "application/pdf", "if-none-match": "*"},
    "expires_at": "2026-09-21T14:28:20.000000Z"
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "POST /api/sessions/{session_id}/uploads",
        BodySchema::of::<Upload>(UPLOAD),
    )
    .takes(BodySchema::of::<NewUpload>(NEW_UPLOAD))
    .refuses(&[Code::TooManyBytes])
}
