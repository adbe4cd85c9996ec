//! A run that has cost what it may asks before it costs more.

use serde_json::json;

use super::walk::{Walk, go};

/// Two calls of the scripted model, 100 tokens in and 20 out each, cost more than this at the price of `gpt-4o-mini`.
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
async fn a_budget_is_raised_or_the_end() {
    go(walks()).await;
}
