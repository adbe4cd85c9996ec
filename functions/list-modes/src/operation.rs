//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};

use crate::Modes;

const MODES: &str = r#"{
    "modes": [
        {
            "id": "planning-control",
            "label": "Planning & Control",
            "description": "A plan is drafted and reviewed, then carried out step by step.",
            "supports_resume": true,
            "supports_hitl": true
        }
    ],
    "total": 1
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/sessions/modes/list",
        BodySchema::of::<Modes>(MODES),
    )
}
