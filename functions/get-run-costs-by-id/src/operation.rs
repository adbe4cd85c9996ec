//! The route from outside, for the documents of the API.

use lambda_kit::api::{BodySchema, Operation};
use session_manager::RunCosts;

const COSTS: &str = r#"{
    "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "total_cost_usd": 0.0,
    "total_tokens": 180,
    "total_prompt_tokens": 150,
    "total_completion_tokens": 30,
    "record_count": 1,
    "unpriced_records": 0,
    "model_breakdown": [{"model": "offline/extract-1", "tokens": 180, "input_tokens": 150, "output_tokens": 30, "cost_usd": 0.0, "prompt_tokens": 150, "completion_tokens": 30, "cost": 0.0, "call_count": 1}],
    "agent_breakdown": [{"agent": "planner", "model": "offline/extract-1", "tokens": 180, "input_tokens": 150, "output_tokens": 30, "cost_usd": 0.0, "prompt_tokens": 150, "completion_tokens": 30, "cost": 0.0, "call_count": 1}],
    "step_breakdown": [{"step_id": "planning", "tokens": 180, "input_tokens": 150, "output_tokens": 30, "cost_usd": 0.0, "prompt_tokens": 150, "completion_tokens": 30, "cost": 0.0, "call_count": 1}],
    "truncated": false
}"#;

/// The route.
pub fn operation() -> Operation {
    Operation::new(
        env!("CARGO_PKG_NAME"),
        "GET /api/runs/{run_id}/costs",
        BodySchema::of::<RunCosts>(COSTS),
    )
}
