//! Every mode that calls models, with a temporary and a permanent failure. `documents` tests the
//! modes that process documents.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::model::{calls, model};
use tests::rest::{count, create_with, newest_run, record, start, until_status};
use tests::stack::shared_workers;
use uuid::Uuid;

/// The modes, each configured to ask no questions.
fn modes() -> [(&'static str, Value); 5] {
    [
        ("copilot", json!({})),
        ("planning-control", json!({"nPlanReviews": 0})),
        ("one-shot", json!({})),
        (
            "hitl-interactive",
            json!({"nPlanReviews": 0, "hitlVariant": "error_recovery"}),
        ),
        ("idea-generation", json!({"nPlanReviews": 0})),
    ]
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn every_mode_continues_after_one_failure_of_its_model() {
    model();
    let _calm = shared_workers().await;
    let runs = modes().map(async |(mode, config)| {
        let word = Uuid::now_v7().to_string();
        let id = create_with(mode, &config).await;
        start(
            &id,
            &format!("[[steps=1]] [[status=503 times=1 id={word}]]"),
        )
        .await;
        until_status(&id, "completed").await;
        let events = record(&id).await;
        for (kind, times) in [("result", 1), ("complete", 1), ("workflow_failed", 0)] {
            assert_eq!(count(&events, kind), times, "{mode}: {kind}");
        }
        let (made, answered) = (calls(&word), count(&events, "agent_message"));
        assert_eq!(
            made.len(),
            answered + 1,
            "{mode}: one call failed, each other one counts: {made:?}"
        );
    });
    join_all(runs).await;
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_refusing_model_fails_the_run_in_every_mode() {
    model();
    let _calm = shared_workers().await;
    let runs = modes().map(async |(mode, config)| {
        let id = create_with(mode, &config).await;
        start(&id, "[[steps=1]] [[status=400]]").await;
        let detail = until_status(&id, "suspended").await;
        let stands = [&detail["suspend_reason"], &detail["current_phase"]];
        assert_eq!(stands, ["run_failed", "failed"], "{mode}");
        let events = record(&id).await;
        for (kind, times) in [
            ("workflow_failed", 1),
            ("error", 1),
            ("result", 0),
            ("complete", 0),
        ] {
            assert_eq!(count(&events, kind), times, "{mode}: {kind}");
        }
        assert_eq!(
            events.last().unwrap()["data"]["code"],
            "model_rejected",
            "{mode}"
        );
        assert_eq!(newest_run(&id).await["status"], "failed", "{mode}");
    });
    join_all(runs).await;
}
