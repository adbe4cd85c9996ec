//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};

use crate::CredentialsStatus;

const STATUS: &str = r#"{
    "status": "success",
    "summary": {"total": 2, "valid": 2, "invalid": 0, "not_configured": 0, "errors": 0},
    "results": {
        "bedrock": {"provider": "bedrock", "status": "valid", "message": "The provider `bedrock` is set up."},
        "openai": {"provider": "openai", "status": "valid", "message": "Tasks can be started: the provider `bedrock` answers them."}
    },
    "timestamp": "2026-09-21T14:13:20.000000Z"
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/credentials/status",
        BodySchema::of::<CredentialsStatus>(STATUS),
    )
}
