//! A run is found by its id alone, within its owner.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use session::{Command, Mode, Next, RunFailure, RunId, RunStatus, Seq};
use session_manager::{Actor, Purged, ReadError};
use uuid::Uuid;

use crate::world::{World, at, commit, finish, new_run, run_of};

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_run_is_found_by_its_id_while_it_goes_on_and_after_its_end() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let run = run_of(&state).id;
    world.proxy.seen();
    let live = world.manager.find_run(&world.ada(), run).await.unwrap();
    let mut asked = world.proxy.seen();
    asked.sort();
    assert_eq!(asked, ["GetItem", "GetItem", "Query"]);
    assert_eq!(live.session(), state.session_id);
    assert_eq!((live.first_seq, live.last_seq), (Seq(1), state.last_seq));
    assert_eq!(
        (live.row.status, live.has_ended()),
        (RunStatus::Running, false)
    );

    let end = finish(&state);
    let done = world.manager.commit_on(state, &end, at(2));
    let state = done.await.unwrap().state;
    let (ada, next) = (world.ada(), new_run());
    let started = world.start_run(state.session_id, &ada, &next, None, at(3));
    let newer = started.await.unwrap().state;
    let ended = world.manager.find_run(&world.ada(), run).await.unwrap();
    assert_eq!((ended.first_seq, ended.last_seq), (Seq(1), state.last_seq));
    assert_eq!(
        (ended.row.status, ended.has_ended()),
        (RunStatus::Completed, true)
    );
    let second = world.manager.find_run(&world.ada(), next.id).await.unwrap();
    assert_eq!(second.first_seq, state.last_seq.plus(1));
    assert_eq!(second.last_seq, newer.last_seq);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_run_that_takes_over_is_found_too() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let failure = RunFailure {
        error: "The model is gone.".into(),
        code: "model_failed".into(),
        error_type: "ModelError".into(),
    };
    let failed = commit(&state, "oh", Next::Fail(failure));
    let failed = world.manager.commit_on(state, &failed, at(2)).await;
    let next = new_run();
    let takeover = Command::Resume {
        run: None,
        context: None,
        takeover: Some(next.clone()),
    };
    let id = failed.unwrap().state.session_id;
    world.does(id, takeover, at(3)).await.unwrap();
    let found = world.manager.find_run(&world.ada(), next.id).await.unwrap();
    assert_eq!(found.session(), id);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn foreign_deleted_and_unknown_runs_do_not_exist() {
    let world = World::new().await;
    let state = world.queued(Mode::OneShot).await;
    let run = run_of(&state).id;
    let missing = async |actor: &Actor, run| {
        world.proxy.seen();
        let found = world.manager.find_run(actor, run).await;
        let mut asked = world.proxy.seen();
        asked.sort();
        assert_eq!(
            asked,
            ["GetItem", "GetItem", "Query"],
            "the time is the same"
        );
        assert!(matches!(found, Err(ReadError::NoSuchRun)), "{found:?}");
    };
    missing(&world.ada(), RunId::new(Uuid::now_v7())).await;
    missing(&world.bob(), run).await;
    world
        .does(state.session_id, Command::Delete, at(1))
        .await
        .unwrap();
    assert_eq!(world.locators(&[run]).await, 1, "the purge comes later");
    missing(&world.ada(), run).await;
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_run_from_before_locators_is_found_through_its_session() {
    let world = World::new().await;
    let state = world.queued(Mode::OneShot).await;
    let run = run_of(&state).id;
    let key = |text: &str| AttributeValue::S(text.into());
    let delete = world.client.delete_item().table_name(&world.table);
    let delete = delete.key("PK", key(&format!("RUN#{run}")));
    delete.key("SK", key("META")).send().await.unwrap();
    let (session, ada) = (state.session_id, world.ada());
    let found = world.manager.find_run(&ada, run).await;
    assert!(matches!(found, Err(ReadError::NoSuchRun)));
    let costs = world.manager.run_costs(session, &ada, run).await;
    assert_eq!(costs.unwrap().run_id, run);
    world.does(session, Command::Delete, at(1)).await.unwrap();
    let soon = Instant::now() + Duration::from_secs(60);
    let purged = world.manager.purge(session, at(3600), soon).await;
    assert_eq!(purged.unwrap(), Purged::Done);
}
