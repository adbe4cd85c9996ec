//! A person decides about the steps of a plan: before, after, and after a failure.

use serde_json::{Value, json};

use super::walk::{Walk, go};

const TWO_STEPS: &str = "Measure the tides. [[steps=2]]";
const FAILS_ONCE: &str = "Measure the tides. [[steps=2]] [[status=400 times=1 at=step_1 id={id}]]";

fn planned(name: &'static str, checkpoints: &str, task: &'static str) -> Walk {
    let config = json!({"checkpoints": checkpoints, "nPlanReviews": 0});
    Walk::of(name, "planning-control", config, task)
}

fn interactive(name: &'static str, config: Value, task: &'static str) -> Walk {
    Walk::of(name, "hitl-interactive", config, task)
}

pub fn walks() -> Vec<Walk> {
    let recovery = json!({"hitlVariant": "error_recovery"});
    let limited =
        json!({"allowPlanModification": false, "allowStepSkip": false, "allowStepRetry": false});
    let stern =
        json!({"hitlVariant": "error_recovery", "allowStepSkip": false, "allowStepRetry": false});
    vec![
        interactive(
            "a step is skipped, the next one begins",
            json!({"approvalMode": "before_step"}),
            TWO_STEPS,
        )
        .at("during_planning", "approve")
        .at("before_step", "skip")
        .at("before_step", "approve")
        .saying("Mind the moon.")
        .skips("step_1")
        .has("step_complete", 1)
        .tells("step_2", "Mind the moon."),
        planned("no step begins", "before_step", TWO_STEPS)
            .at("before_step", "reject")
            .cancels()
            .has("step_start", 0),
        planned("a step is done again twice", "after_step", TWO_STEPS)
            .at("after_step", "redo")
            .saying("Shorter.")
            .at("after_step", "redo")
            .saying("Still shorter.")
            .at("after_step", "continue")
            .among(&["continue", "abort"])
            .at("after_step", "continue")
            .has("step_complete", 4)
            .tells("step_1", "Still shorter."),
        planned("a result is not accepted", "after_step", TWO_STEPS)
            .at("after_step", "abort")
            .cancels()
            .has("step_complete", 1),
        planned("a failed step is tried again", "on_error", FAILS_ONCE)
            .at("on_error", "retry")
            .saying("Look at the harbour.")
            .has("step_failed", 1)
            .has("step_complete", 2)
            .tells("step_1", "Look at the harbour."),
        interactive("a failed step is left out", recovery.clone(), FAILS_ONCE)
            .at("on_error", "skip")
            .skips("step_1")
            .has("step_complete", 1),
        interactive("a failed step is the end", recovery, FAILS_ONCE)
            .at("on_error", "abort")
            .cancels()
            .has("workflow_failed", 0),
        interactive(
            "what a client switched off is not offered",
            limited,
            "Measure the tides. [[steps=1]]",
        )
        .at("during_planning", "approve")
        .among(&["approve", "reject", "revise"])
        .at("before_step", "approve")
        .among(&["approve", "reject"])
        .at("after_step", "continue")
        .among(&["continue", "abort"]),
        interactive("neither again nor left out", stern, FAILS_ONCE)
            .at("on_error", "abort")
            .among(&["abort"])
            .cancels(),
    ]
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_step_is_started_skipped_accepted_repeated_and_recovered() {
    go(walks()).await;
}
