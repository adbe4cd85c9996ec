//! The items that a change writes, and those that it leaves unchanged.

use session::{
    Command, Mode, NewRun, Next, Refusal, RowChange, RunFailure, RunStatus, Seq, SessionStatus,
};
use session_manager::{Actor, ChangeError, Filter, NewSessionRows, ReadError};

use crate::world::{
    CANCEL, SUSPEND, World, at, commit, finish, new_run, note, resume, rows, run_of, said, step,
    take_lease,
};

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_new_session_is_visible_at_once_and_only_to_its_owner() {
    let world = World::new().await;
    let state = world.session(Mode::PlanningControl).await;
    let id = state.session_id;
    assert_eq!(world.manager.state(id, &world.ada()).await.unwrap(), state);
    assert_eq!(
        world.manager.state(id, &Actor::System).await.unwrap(),
        state
    );
    let foreign = world.manager.state(id, &world.bob()).await;
    assert!(matches!(foreign, Err(ReadError::NoSuchSession)));
    assert_eq!(
        world.sort_keys(id).await,
        ["CONFIG", "LOG#000000000001", "SUMMARY"]
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_session_and_its_first_task_are_one_transaction() {
    let world = World::new().await;
    let new = world.new_session(Mode::OneShot, Some(new_run()));
    let rows = NewSessionRows {
        run_config: Some(r#"{"model":"large"}"#.into()),
        ..rows()
    };
    world.proxy.seen();
    let created = world
        .manager
        .create(&new, &rows, None, at(0))
        .await
        .unwrap();
    assert_eq!(world.proxy.seen(), ["TransactWriteItems"]);
    let run = new.run.unwrap().id;
    assert!(matches!(&created.row_changes[..], [RowChange::RunStarted(row)] if row.id == run));
    assert_eq!(
        world.sort_keys(new.id).await,
        [
            "CONFIG".to_owned(),
            format!("CONFIG#{run}"),
            "LOG#000000000001".into(),
            format!("RUN#{run}"),
            "SUMMARY".into(),
        ]
    );
    assert_eq!(world.manager.config(new.id).await.unwrap(), rows.config);
    assert_eq!(
        world.manager.run_config(new.id, run).await.unwrap(),
        r#"{"model":"large"}"#
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_session_id_is_used_once() {
    let world = World::new().await;
    let new = world.new_session(Mode::OneShot, None);
    let first = world.manager.create(&new, &rows(), None, at(0)).await;
    let again = world.manager.create(&new, &rows(), None, at(0)).await;
    assert!(first.is_ok() && matches!(again, Err(ChangeError::Contention)));
    assert_eq!(world.assert_whole(new.id).await, 1);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_session_of_another_owner_cannot_be_changed() {
    let world = World::new().await;
    let state = world.queued(Mode::PlanningControl).await;
    let id = state.session_id;
    let before = world.partition(&format!("SESSION#{id}")).await;
    for command in [SUSPEND, CANCEL, resume(), Command::Delete] {
        let refused = world
            .manager
            .change(id, &world.bob(), &command, at(1))
            .await;
        assert!(matches!(
            refused,
            Err(ChangeError::Refused(Refusal::NoSuchSession, None))
        ));
    }
    let refused = world
        .start_run(id, &world.bob(), &new_run(), None, at(1))
        .await;
    assert!(matches!(
        refused,
        Err(ChangeError::Refused(Refusal::NoSuchSession, None))
    ));
    assert_eq!(world.partition(&format!("SESSION#{id}")).await, before);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_refused_command_writes_nothing_and_returns_the_state() {
    let world = World::new().await;
    let state = world.queued(Mode::PlanningControl).await;
    let id = state.session_id;
    let before = world.partition(&format!("SESSION#{id}")).await;
    let refused = world.does(id, resume(), at(1)).await.unwrap_err();
    let ChangeError::Refused(refusal, Some(on)) = refused else {
        panic!("{refused}");
    };
    assert_eq!(refusal, Refusal::NotSuspended(SessionStatus::Active));
    assert_eq!(*on, state);
    assert_eq!(world.partition(&format!("SESSION#{id}")).await, before);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_worker_with_the_current_state_appends_in_one_round_trip() {
    let world = World::new().await;
    let mut state = world.running(Mode::PlanningControl).await;
    world.proxy.seen();
    state = world
        .manager
        .commit_on(state.clone(), &note(&state, "one"), at(2))
        .await
        .unwrap()
        .state;
    assert_eq!(
        world.proxy.seen(),
        ["PutItem"],
        "a change of the log alone is one put"
    );
    let next = commit(&state, "two", Next::Advance(step(2)));
    let committed = world.manager.commit_on(state, &next, at(3)).await.unwrap();
    assert_eq!(
        world.proxy.seen(),
        ["TransactWriteItems"],
        "the summary shows the step"
    );
    assert_eq!(committed.envelopes[0].body, said("two").into());
    let summary = world
        .item(committed.state.session_id, "SUMMARY")
        .await
        .unwrap();
    let progress = summary["current_step"].as_m().unwrap();
    assert_eq!(progress["step"].as_n().unwrap(), "2");
    assert_eq!(summary["updated_at"].as_s().unwrap(), &at(0).to_string());
    assert_eq!(summary["due"].as_s().unwrap(), &at(100).to_string());
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_change_of_status_moves_the_index_keys_and_the_due_time() {
    let world = World::new().await;
    let id = world.session(Mode::PlanningControl).await.session_id;
    world.does(id, SUSPEND, at(5)).await.unwrap();
    let summary = world.item(id, "SUMMARY").await.unwrap();
    let now = at(5);
    let owner = &world.owner;
    for (name, value) in [
        ("status", "suspended".to_owned()),
        ("updated_at", now.to_string()),
        ("owner_status", format!("{owner}#suspended")),
        ("updated_key", format!("{now}#{id}")),
        ("owner_mode", format!("{owner}#planning-control")),
        ("status_updated_key", format!("suspended#{now}#{id}")),
        ("name", "a session".into()),
        ("created_at", at(0).to_string()),
    ] {
        assert_eq!(summary[name].as_s().unwrap(), &value, "{name}");
    }
    assert!(!summary.contains_key("due") && !summary.contains_key("due_shard"));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn the_end_of_a_run_is_in_its_row() {
    let world = World::new().await;
    let state = world.running(Mode::OneShot).await;
    let (id, run) = (state.session_id, run_of(&state).id);
    world
        .manager
        .commit_on(state.clone(), &finish(&state), at(9))
        .await
        .unwrap();
    let row = world.manager.run(id, run).await.unwrap().unwrap();
    assert_eq!(row.status, RunStatus::Completed);
    assert_eq!(row.started_at, Some(at(1)));
    assert_eq!(row.completed_at, Some(at(9)));
    assert_eq!(row.task_description, "Say something.");
    let summary = world.item(id, "SUMMARY").await.unwrap();
    assert_eq!(summary["status"].as_s().unwrap(), "completed");
    let progress = summary["current_step"].as_m().unwrap();
    assert!(!progress.contains_key("step") && !summary.contains_key("due"));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_takeover_inherits_the_configuration_of_the_failed_run() {
    let world = World::new().await;
    let new = world.new_session(Mode::PlanningControl, Some(new_run()));
    let with_config = NewSessionRows {
        run_config: Some(r#"{"maxPlanSteps":2}"#.into()),
        ..rows()
    };
    let queued = world
        .manager
        .create(&new, &with_config, None, at(0))
        .await
        .unwrap()
        .state;
    let lease = take_lease(&queued, at(100));
    let state = world
        .manager
        .commit_on(queued, &lease, at(1))
        .await
        .unwrap()
        .state;
    let failure = RunFailure {
        error: "The model is gone.".into(),
        code: "model_failed".into(),
        error_type: "ModelError".into(),
    };
    let failed = commit(&state, "oh", Next::Fail(failure));
    world
        .manager
        .commit_on(state, &failed, at(2))
        .await
        .unwrap();
    let next = new_run();
    let takeover = Command::Resume {
        run: None,
        context: Some("Try again.".into()),
        takeover: Some(NewRun { ..next.clone() }),
    };
    let resumed = world.does(new.id, takeover, at(3)).await.unwrap();
    assert_eq!(
        run_of(&resumed.state).position.step,
        1,
        "the takeover starts at the position of the failed run"
    );
    let config = world.manager.run_config(new.id, next.id).await.unwrap();
    assert_eq!(config, r#"{"maxPlanSteps":2}"#);
    let row = world.manager.run(new.id, next.id).await.unwrap().unwrap();
    assert_eq!(row.resumed_from, Some(new.run.unwrap().id));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_too_large_change_is_never_sent() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    world.proxy.seen();
    let long = "x".repeat(32 * 1024 + 1);
    let refused = world
        .manager
        .commit_on(state.clone(), &note(&state, &long), at(2))
        .await;
    let Err(ChangeError::TooLarge(error)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.what, "a message");
    let mut many = note(&state, "x");
    if let Command::Commit { progress, .. } = &mut many {
        progress.work = vec![said(&"x".repeat(32 * 1024)); 13];
    }
    let refused = world.manager.commit_on(state.clone(), &many, at(2)).await;
    assert!(matches!(refused, Err(ChangeError::TooLarge(error)) if error.what == "an item"));
    if let Command::Commit { progress, .. } = &mut many {
        progress.work = vec![said("x"); 33];
    }
    let refused = world.manager.commit_on(state.clone(), &many, at(2)).await;
    assert!(matches!(refused, Err(ChangeError::TooLarge(error)) if error.unit == "events"));
    assert!(world.proxy.seen().is_empty());
    assert_eq!(world.assert_whole(state.session_id).await, state.last_seq.0);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn every_method_treats_a_deleted_session_as_missing() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let (id, run, ada) = (state.session_id, run_of(&state).id, world.ada());
    world.does(id, Command::Delete, at(5)).await.unwrap();

    let manager = &world.manager;
    assert!(matches!(
        manager.state(id, &ada).await,
        Err(ReadError::NoSuchSession)
    ));
    assert!(matches!(
        manager.session(id, &ada).await,
        Err(ReadError::NoSuchSession)
    ));
    assert!(matches!(
        manager.history(id, &ada, 9, None).await,
        Err(ReadError::NoSuchSession)
    ));
    assert!(matches!(
        manager.events(id, &ada, Seq(0), 9).await,
        Err(ReadError::NoSuchSession)
    ));
    assert!(matches!(
        manager.runs(id, &ada, 9, None).await,
        Err(ReadError::NoSuchSession)
    ));
    assert!(
        manager
            .list(&world.owner, Filter::default(), 9, None)
            .await
            .unwrap()
            .sessions
            .is_empty()
    );
    for command in [SUSPEND, resume(), CANCEL, Command::Delete] {
        let refused = world.does(id, command, at(6)).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::NoSuchSession));
    }
    let tombstone = world.item(id, "SUMMARY").await.unwrap();
    assert_eq!(
        tombstone.len(),
        4,
        "only keys and due attributes remain: {tombstone:?}"
    );
    let row = manager.run(id, run).await.unwrap().unwrap();
    assert_eq!(row.status, RunStatus::Cancelled, "its run has ended");
}
