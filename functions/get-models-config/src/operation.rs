//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};

use crate::ModelsConfig;

const CONFIG: &str = r#"{
    "available_models": [
        {"value": "gpt-5-mini", "label": "gpt-5-mini (openai)"},
        {"value": "anthropic/claude-opus-5-5", "label": "claude-opus-5-5 (anthropic)"}
    ],
    "global_defaults": {"model": "gpt-5-mini", "provider": "openai"},
    "workflow_defaults": {
        "one-shot": {"model": "gpt-5-mini"},
        "planning-control": {"model": "gpt-5-mini", "plannerModel": "gpt-5-mini"}
    }
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/models/config",
        BodySchema::of::<ModelsConfig>(CONFIG),
    )
}
