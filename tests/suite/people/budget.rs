//! A run asks before it exceeds its budget.

use serde_json::json;

use super::walk::{Walk, go};

/// Less than the cost of two calls of the scripted model with 100 input and 20 output tokens at the
/// price of `gpt-4o-mini`.
const OF_TWO_CALLS: f64 = 0.000_05;

pub fn walks() -> Vec<Walk> {
    let limited = |name| {
        let config = json!({"model": "gpt-4o-mini", "maxCostUsd": OF_TWO_CALLS, "nPlanReviews": 0});
        Walk::of(
            name,
            "planning-control",
            config,
            "Measure the tides. [[steps=2]]",
        )
    };
    vec![
        limited("a run may cost more")
            .at("budget", "continue")
            .has("step_complete", 2)
            .has("cost_update", 3),
        limited("a run may not cost more")
            .at("budget", "abort")
            .cancels()
            .has("step_complete", 1)
            .has("cost_update", 2),
    ]
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_budget_is_raised_or_ends_the_run() {
    go(walks()).await;
}
