//! The costs of a run: over several slices, after its end, and separate from a run that it took
//! over.

use serde_json::{Value, json};
use session::{Command, EventBody, Mode, Next, RunFailure, RunId, State};
use session_manager::{Actor, ReadError};

use crate::world::{World, at, commit, finish, new_run, note, run_of, said, step, take_lease};

fn cost(state: &State, agent: &str, step: u32, cost_usd: Option<f64>) -> EventBody {
    EventBody::CostUpdate {
        run_id: run_of(state).id,
        agent: agent.into(),
        step_id: Some(format!("step_{step}")),
        model: "small".into(),
        tokens: 12,
        input_tokens: 10,
        output_tokens: 2,
        cost: cost_usd.into(),
        total_cost_usd: 0.0,
        estimated: false,
    }
}

/// A worker's commit with the cost of one call, a tenth of a dollar.
fn paid(state: &State, mut command: Command, step: u32) -> Command {
    if let Command::Commit { progress, .. } = &mut command {
        progress
            .work
            .push(cost(state, "researcher", step, Some(0.1)));
    }
    command
}

async fn costs(world: &World, state: &State, run: RunId) -> Value {
    let ada = world.ada();
    let costs = world.manager.run_costs(state.session_id, &ada, run).await;
    serde_json::to_value(costs.unwrap()).unwrap()
}

async fn does(world: &World, state: State, command: Command, second: u64) -> State {
    let done = world.manager.commit_on(state, &command, at(second)).await;
    done.unwrap().state
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn the_costs_of_a_run_are_summed_over_slices_and_remain() {
    let world = World::new().await;
    let mut state = world.running(Mode::PlanningControl).await;
    let run = run_of(&state).id;
    assert_eq!(costs(&world, &state, run).await["record_count"], 0);

    let first = paid(&state, commit(&state, "one", Next::Advance(step(2))), 1);
    state = does(&world, state, first, 2).await;
    let yield_lease = Command::YieldLease {
        run,
        epoch: state.lease.epoch,
    };
    state = does(&world, state, yield_lease, 3).await;
    let lease = take_lease(&state, at(200));
    state = does(&world, state, lease, 4).await;
    let second = paid(&state, note(&state, "two"), 2);
    state = does(&world, state, second, 5).await;
    let live = costs(&world, &state, run).await;
    assert_eq!(live["total_cost_usd"], json!(0.2));
    assert_eq!(live["step_breakdown"][1]["step_id"], "step_2");

    let last = paid(&state, finish(&state), 2);
    state = does(&world, state, last, 6).await;
    let ended = costs(&world, &state, run).await;
    assert_eq!(ended["total_cost_usd"], json!(0.3));
    assert_eq!(ended["total_tokens"], 36);
    let steps = ended["step_breakdown"].as_array().unwrap();
    assert_eq!((steps.len(), &steps[1]["tokens"]), (2, &json!(24)));
    let row = world.item(state.session_id, &format!("RUN#{run}")).await;
    let row = row.unwrap();
    assert_eq!(row["first_seq"].as_n().unwrap(), "1");
    assert_eq!(
        row["last_seq"].as_n().unwrap(),
        &state.last_seq.0.to_string()
    );

    let (id, ada, next) = (state.session_id, world.ada(), new_run());
    let started = world.start_run(id, &ada, &next, None, at(7));
    let state = started.await.unwrap().state;
    let lease = take_lease(&state, at(300));
    let state = does(&world, state, lease, 8).await;
    let other = paid(&state, note(&state, "three"), 1);
    let state = does(&world, state, other, 9).await;
    assert_eq!(costs(&world, &state, run).await, ended);
    let other = costs(&world, &state, next.id).await;
    assert_eq!(other["total_cost_usd"], json!(0.1));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_takeover_has_its_own_costs() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let failed = run_of(&state).id;
    let failure = RunFailure {
        error: "The model is gone.".into(),
        code: "model_failed".into(),
        error_type: "ModelError".into(),
    };
    let fails = paid(&state, commit(&state, "oh", Next::Fail(failure)), 1);
    let state = does(&world, state, fails, 2).await;
    let next = new_run();
    let takeover = Command::Resume {
        run: None,
        context: None,
        takeover: Some(next.clone()),
    };
    let resumed = world.does(state.session_id, takeover, at(3)).await;
    let state = resumed.unwrap().state;
    let lease = take_lease(&state, at(100));
    let state = does(&world, state, lease, 4).await;
    let mut again = note(&state, "again");
    if let Command::Commit { progress, .. } = &mut again {
        progress.work.push(cost(&state, "engineer", 1, None));
    }
    let state = does(&world, state, again, 5).await;

    let before = costs(&world, &state, failed).await;
    assert_eq!(before["total_cost_usd"], json!(0.1));
    assert_eq!(before["agent_breakdown"][0]["agent"], "researcher");
    let after = costs(&world, &state, next.id).await;
    assert_eq!(after["total_cost_usd"], json!(0.0));
    assert_eq!(
        (&after["total_tokens"], &after["unpriced_records"]),
        (&json!(12), &json!(1))
    );
    assert_eq!(after["agent_breakdown"].as_array().unwrap().len(), 1);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn the_costs_in_a_record_of_several_pages_are_summed() {
    let world = World::new().await;
    let mut state = world.running(Mode::PlanningControl).await;
    let run = run_of(&state).id;
    // 50 entries of 60 KB: three pages of a query.
    for _ in 0..50 {
        let mut command = paid(&state, note(&state, ""), 1);
        if let Command::Commit { progress, .. } = &mut command {
            progress
                .work
                .extend([said(&"x".repeat(30_000)), said(&"y".repeat(30_000))]);
        }
        state = does(&world, state, command, 2).await;
    }
    world.proxy.seen();
    assert_eq!(
        costs(&world, &state, run).await["total_cost_usd"],
        json!(5.0)
    );
    assert!(world.proxy.seen().len() > 4, "state, row and some pages");
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn costs_of_foreign_runs_and_sessions_do_not_exist() {
    let world = World::new().await;
    let (one, two) = (
        world.queued(Mode::OneShot).await,
        world.queued(Mode::OneShot).await,
    );
    let (id, run) = (one.session_id, run_of(&one).id);
    let manager = &world.manager;
    let other = manager.run_costs(id, &world.ada(), run_of(&two).id).await;
    assert!(matches!(other, Err(ReadError::NoSuchRun)));
    let foreign = manager.run_costs(id, &world.bob(), run).await;
    assert!(matches!(foreign, Err(ReadError::NoSuchSession)));
    let nowhere = world.new_session(Mode::OneShot, None).id;
    let none = manager.run_costs(nowhere, &Actor::System, run).await;
    assert!(matches!(none, Err(ReadError::NoSuchSession)));
}
