//! The route from outside, for the documents of the API.

use documents::{ArtifactName, ContentType, MAX_UPLOAD_BYTES};
use lambda_kit::api::{BodySchema, Operation};
use schemars::JsonSchema;

use crate::Upload;

/// A file that a client has.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "a form alone: the handler takes the fields out one by one"
)]
struct NewUpload {
    /// Without separators and control characters, neither `.` nor `..`, and of at most 900 bytes.
    #[schemars(length(min = 1, max = 255), regex(pattern = ArtifactName::PATTERN))]
    name: String,
    /// Its media type; kept, and told to whoever downloads it.
    #[schemars(length(max = 255), regex(pattern = ContentType::PATTERN))]
    content_type: String,
    /// In bytes.
    #[schemars(range(min = 1, max = MAX_UPLOAD_BYTES))]
    size: u64,
}

const NEW_UPLOAD: &str =
    r#"{"name": "tides.pdf", "content_type": "application/pdf", "size": 48213}"#;

const UPLOAD: &str = r#"{
    "artifact": "tides.pdf",
    "url": "https://bucket.s3.eu-central-1.amazonaws.com/…/uploads/tides.pdf?X-Amz-Signature=…",
    "method": "PUT",
    "headers": {"content-length": "48213", "content-type": "application/pdf"},
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
}
