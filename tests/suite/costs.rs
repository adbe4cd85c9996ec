//! The cost of a run: the sums of its ledger, and a budget in a mode without people.

use serde_json::{Value, json};
use tests::canary::PLANTED;
use tests::model::{calls, model};
use tests::people::{choose, question};
use tests::rest::{create, create_with, get, record, start, until_status};
use tests::stack::shared_workers;
use uuid::Uuid;

/// The cost of one call of the scripted model in US dollars: 100 input and 20 output tokens at the
/// price of `gpt-4o-mini`.
const ONE_CALL: f64 = 0.000_027;
const TWO_CALLS: f64 = 0.000_054;
const THREE_CALLS: f64 = 0.000_081;

/// The entries of a breakdown, and their tokens.
fn shares(costs: &Value, breakdown: &str, of: &str) -> Vec<(String, u64)> {
    let rows = costs[breakdown].as_array().unwrap().iter();
    let share = |row: &Value| {
        let tokens = row["tokens"].as_u64().unwrap();
        (row[of].as_str().unwrap().to_owned(), tokens)
    };
    rows.map(share).collect()
}

/// Asserts that each breakdown adds up to the totals.
fn add_up(costs: &Value) {
    for breakdown in ["model_breakdown", "agent_breakdown", "step_breakdown"] {
        let rows = costs[breakdown].as_array().unwrap();
        let tokens = |field: &str| {
            rows.iter()
                .map(|row| row[field].as_u64().unwrap())
                .sum::<u64>()
        };
        assert_eq!(tokens("tokens"), costs["total_tokens"], "{costs}");
        assert_eq!(tokens("input_tokens"), costs["total_prompt_tokens"]);
        assert_eq!(tokens("output_tokens"), costs["total_completion_tokens"]);
        let dollars: f64 = rows
            .iter()
            .map(|row| row["cost_usd"].as_f64().unwrap())
            .sum();
        let total = costs["total_cost_usd"].as_f64().unwrap();
        assert!((dollars - total).abs() < 1e-12, "{costs}");
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_runs_costs_add_up_by_model_by_agent_and_by_step() {
    model();
    let _calm = shared_workers().await;
    let config = json!({"model": "gpt-4o-mini", "researcherModel": "scripted"});
    let session = create_with("planning-control", &config).await;
    let run = start(&session, "Measure the tides. [[steps=2]]").await;
    until_status(&session, "completed").await;
    let path = format!("/api/sessions/{session}/runs/{run}/costs");
    let costs = get(&path).await.ok();
    assert_eq!(costs["run_id"], run);
    assert_eq!(costs["record_count"], 5);
    assert_eq!(
        (&costs["total_tokens"], &costs["total_prompt_tokens"]),
        (&json!(600), &json!(500))
    );
    assert_eq!(
        costs["total_cost_usd"], THREE_CALLS,
        "the cost of a model without a price is unknown"
    );
    add_up(&costs);
    let share = |of: &str, tokens| (of.to_owned(), tokens);
    assert_eq!(
        shares(&costs, "model_breakdown", "model"),
        [share("gpt-4o-mini", 360), share("scripted", 240)]
    );
    assert_eq!(
        shares(&costs, "agent_breakdown", "agent"),
        [
            share("planner", 240),
            share("plan_reviewer", 120),
            share("researcher", 240)
        ]
    );
    assert_eq!(
        shares(&costs, "step_breakdown", "step_id"),
        [
            share("planning", 360),
            share("step_1", 120),
            share("step_2", 120)
        ]
    );
    let events = record(&session).await;
    let told: Vec<&Value> = events
        .iter()
        .filter(|event| event["event_type"] == "cost_update")
        .map(|event| &event["data"])
        .collect();
    let prices: Vec<(&Value, &Value)> = told
        .iter()
        .map(|cost| (&cost["cost_usd"], &cost["priced"]))
        .collect();
    let (known, unknown) = (
        (&json!(ONE_CALL), &json!(true)),
        (&json!(0.0), &json!(false)),
    );
    assert_eq!(prices, [known, known, known, unknown, unknown]);
    let total = told[4]["total_cost_usd"].as_f64().unwrap();
    assert!((total - THREE_CALLS).abs() < 1e-12, "{total}");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn each_run_has_its_own_costs_even_before_it_ends() {
    model();
    let _calm = shared_workers().await;
    let config = json!({"conversational": true, "model": "gpt-4o-mini"});
    let session = create_with("copilot", &config).await;
    let costs = async |run: &str| {
        let path = format!("/api/sessions/{session}/runs/{run}/costs");
        let costs = get(&path).await.ok();
        add_up(&costs);
        costs
    };
    let first = start(&session, "Draw the boat.").await;
    choose(&session, "copilot_turn", "continue").await;
    choose(&session, "copilot_turn", "done").await;
    until_status(&session, "completed").await;
    let second = start(&session, "And another one.").await;
    question(&session, "copilot_turn").await;
    assert_eq!(costs(&first).await["record_count"], 4);
    assert_eq!(costs(&second).await["record_count"], 2);
    assert_eq!(costs(&second).await["total_cost_usd"], TWO_CALLS);
    let nobodys = format!("/api/sessions/{session}/runs/{}/costs", Uuid::now_v7());
    assert_eq!(get(&nobodys).await.problem(), (404, "run_not_found"));
    let elsewhere = format!(
        "/api/sessions/{}/runs/{first}/costs",
        create("copilot").await
    );
    assert_eq!(get(&elsewhere).await.problem(), (404, "run_not_found"));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_exhausted_budget_ends_a_run_without_people() {
    model();
    let _calm = shared_workers().await;
    let word = Uuid::now_v7();
    let config = json!({"model": "gpt-4o-mini", "maxCostUsd": 0.5 * ONE_CALL});
    let session = create_with("one-shot", &config).await;
    // The first answer is invalid and costs money. After that the model fails until the step is
    // started again.
    let task = format!("[[status=503]] [[misfit times=1 id={word}]]");
    let run = start(&session, &task).await;
    let detail = until_status(&session, "suspended").await;
    assert_eq!(detail["suspend_reason"], "run_failed");
    let events = record(&session).await;
    let error = events.last().unwrap();
    assert_eq!(
        (&error["event_type"], &error["data"]["code"]),
        (&json!("error"), &json!("budget_exceeded"))
    );
    let costs = get(&format!("/api/sessions/{session}/runs/{run}/costs"))
        .await
        .ok();
    assert_eq!(
        (&costs["record_count"], &costs["total_cost_usd"]),
        (&json!(1), &json!(ONE_CALL))
    );
    add_up(&costs);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_deviating_reply_is_paid_for_once_and_is_in_the_ledger() {
    model();
    let _calm = shared_workers().await;
    for (lie, status, records, estimated) in [
        ("parts", "completed", 1, 0),
        ("no-usage", "completed", 1, 1),
        ("402", "suspended", 0, 0),
    ] {
        let word = Uuid::now_v7();
        let session = create_with("one-shot", &json!({"model": "gpt-4o-mini"})).await;
        let run = start(&session, &format!("Why tides? [[lie={lie} id={word}]]")).await;
        until_status(&session, status).await;
        assert_eq!(calls(&word.to_string()).len(), 1, "{lie}");
        let costs = get(&format!("/api/sessions/{session}/runs/{run}/costs"))
            .await
            .ok();
        assert_eq!(costs["record_count"], records, "{lie}");
        assert_eq!(costs["estimated_records"], estimated, "{lie}");
        add_up(&costs);
        let events = record(&session).await;
        let told = events
            .iter()
            .filter(|event| event["event_type"] == "cost_update");
        let marks: Vec<bool> = told
            .map(|event| event["data"]["estimated"] == true)
            .collect();
        assert_eq!(marks, vec![estimated == 1; records], "{lie}");
        match status {
            "completed" => assert!(!json!(events).to_string().contains(PLANTED), "{lie}"),
            _ => assert_eq!(events.last().unwrap()["data"]["code"], "model_rejected"),
        }
    }
}
