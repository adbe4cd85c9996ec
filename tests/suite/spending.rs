//! What the deployment lets a run and an owner's day cost. The executor runs in this process and
//! asks the scripted model, whose calls cost 0.000027 dollars each.

use executor::{Executor, TextTasks};
use lambda_kit::now;
use serde_json::json;
use session::{EventBody, Mode, NewSession, OwnerId, RunStatus, SessionId, State, StoredEventBody};
use session_manager::{ChangeError, LimitReached, NewSessionRows};
use tests::model::model;
use tests::stack::stack;
use uuid::Uuid;

use crate::in_process::{executor, run, work};

async fn with(limit: (&str, &str)) -> Executor<TextTasks> {
    model();
    let settings = [
        ("MODEL_PROVIDER", "openai"),
        ("MODEL_ID", "gpt-4o-mini"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:8077/v1"),
        ("OPENAI_API_KEY", "a-key"),
        limit,
    ];
    executor(stack().get("AWS_ENDPOINT_URL_DYNAMODB"), &settings).await
}

/// A run of one plan and two steps, each of them a call.
async fn three_calls(executor: &Executor<TextTasks>, owner: &OwnerId) -> State {
    let new = NewSession {
        id: SessionId::new(Uuid::now_v7()),
        owner: owner.clone(),
        mode: Mode::PlanningControl,
        run: Some(run("Measure the tides. [[steps=2]]")),
    };
    let rows = NewSessionRows {
        name: "spending".into(),
        config: json!({"nPlanReviews": 0}).to_string(),
        run_config: None,
    };
    let sessions = &executor.sessions;
    let created = sessions.create(&new, &rows, None, now()).await.unwrap();
    work(executor, created.state).await
}

/// The code of the run's failure, and the number of calls in its ledger.
async fn failure(executor: &Executor<TextTasks>, state: &State) -> (String, usize) {
    let record = executor
        .sessions
        .record(state.session_id, session::Seq(1), state.last_seq)
        .await
        .unwrap();
    let (mut code, mut calls) = (String::new(), 0);
    for envelope in record {
        match envelope.body {
            StoredEventBody::Known(EventBody::CostUpdate { .. }) => calls += 1,
            StoredEventBody::Known(EventBody::Error { code: given, .. }) => code = given,
            _ => {}
        }
    }
    (code, calls)
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_run_ends_when_its_owners_dollars_of_the_day_are_spent() {
    let executor = with(("MAX_COST_USD_PER_OWNER_DAY", "0.00005")).await;
    let owner = OwnerId::of("tests", &Uuid::now_v7().to_string());
    let state = three_calls(&executor, &owner).await;
    let ended = state.run.as_ref().unwrap();
    assert_eq!(ended.status, RunStatus::Failed);
    let told = failure(&executor, &state).await;
    assert_eq!(told, ("budget_spent".to_owned(), 2));
    let left = executor.sessions.left_today(&owner, now()).await.unwrap();
    assert!((left.unwrap() + ended.cost_usd - 0.000_05).abs() < 1e-9);
    // Nothing starts any more, and a run that goes on asks no model.
    let refused = executor.sessions.reserve_run(&owner, ended.id, now()).await;
    assert!(matches!(
        refused,
        Err(ChangeError::Limited(LimitReached::DaysCosts { .. }))
    ));
    let second = three_calls(&executor, &owner).await;
    let told = failure(&executor, &second).await;
    assert_eq!(told, ("budget_spent".to_owned(), 0));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_run_ends_when_it_costs_what_the_deployment_allows() {
    let executor = with(("MAX_COST_USD_PER_RUN", "0.00005")).await;
    let owner = OwnerId::of("tests", &Uuid::now_v7().to_string());
    let state = three_calls(&executor, &owner).await;
    let told = failure(&executor, &state).await;
    assert_eq!(told, ("budget_exceeded".to_owned(), 2));
    let left = executor.sessions.left_today(&owner, now()).await.unwrap();
    assert_eq!(left, None);
}
