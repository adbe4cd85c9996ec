//! Request keys: a repeated request has one effect, also with concurrent or slow requests.

use futures::future::join_all;
use session::{Command, Mode, NewRun, Refusal, RowChange};
use session_manager::{
    ChangeError, Committed, ReadError, RequestKey, RequestKeyItem, SessionSummary,
};

use crate::world::{CANCEL, SUSPEND, World, at, finish, named_run, new_run, rows, take_lease};

const DAY: u64 = 24 * 3600;

fn taken(result: Result<Committed, ChangeError>) -> RequestKeyItem {
    match result {
        Err(ChangeError::KeyTaken(record)) => *record,
        other => panic!("{other:?}"),
    }
}

fn creates(world: &World, key: &str, body: &str) -> RequestKey {
    RequestKey::idempotency(world.owner.clone(), "/api/sessions", key, body)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn ten_creates_with_one_key_make_one_session_and_get_its_reply() {
    let world = World::new().await;
    let key = creates(&world, "k", "{}");
    let creates = (0..10).map(|_| async {
        let new = world.new_session(Mode::Copilot, None);
        world.manager.create(&new, &rows(), Some(&key), at(0)).await
    });
    let (won, lost): (Vec<_>, Vec<_>) =
        join_all(creates).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 9));
    let made = won.into_iter().next().unwrap().unwrap().state;
    for lost in lost {
        let record = taken(lost);
        assert_eq!(record.session_id, made.session_id);
        assert!(key.is_same_request(&record));
    }
    world.does(made.session_id, SUSPEND, at(1)).await.unwrap();
    assert_eq!(
        world.manager.as_created(made.session_id).await.unwrap(),
        SessionSummary::of(&made, "a session"),
        "a repetition must return the first answer"
    );
    let all = world
        .manager
        .list(&world.owner, session_manager::Filter::default(), 50, None)
        .await
        .unwrap();
    assert_eq!(all.sessions.len(), 1, "refused creates must leave no items");
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn another_body_with_the_same_key_is_detected() {
    let world = World::new().await;
    let new = world.new_session(Mode::Copilot, None);
    let key = creates(&world, "k", "{}");
    world
        .manager
        .create(&new, &rows(), Some(&key), at(0))
        .await
        .unwrap();
    let other = creates(&world, "k", r#"{"name":"x"}"#);
    let again = world.new_session(Mode::Copilot, None);
    let record = taken(
        world
            .manager
            .create(&again, &rows(), Some(&other), at(1))
            .await,
    );
    assert!(!other.is_same_request(&record));
    assert_eq!(
        world.manager.request_key(&other, at(1)).await.unwrap(),
        Some(record)
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_key_is_free_after_a_day_even_if_its_item_still_exists() {
    let world = World::new().await;
    let key = creates(&world, "k", "{}");
    let first = world.new_session(Mode::Copilot, None);
    world
        .manager
        .create(&first, &rows(), Some(&key), at(0))
        .await
        .unwrap();
    let second = world.new_session(Mode::Copilot, None);
    taken(
        world
            .manager
            .create(&second, &rows(), Some(&key), at(DAY - 1))
            .await,
    );
    assert!(
        world
            .manager
            .request_key(&key, at(DAY - 1))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        world
            .manager
            .request_key(&key, at(DAY))
            .await
            .unwrap()
            .is_none()
    );
    world
        .manager
        .create(&second, &rows(), Some(&key), at(DAY))
        .await
        .unwrap();
    let record = world
        .manager
        .request_key(&key, at(DAY))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.session_id, second.id);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn the_key_of_a_deleted_session_can_be_reused() {
    let world = World::new().await;
    let key = creates(&world, "k", "{}");
    let first = world.new_session(Mode::Copilot, None);
    world
        .manager
        .create(&first, &rows(), Some(&key), at(0))
        .await
        .unwrap();
    world.does(first.id, Command::Delete, at(1)).await.unwrap();
    let second = world.new_session(Mode::Copilot, None);
    world
        .manager
        .create(&second, &rows(), Some(&key), at(2))
        .await
        .unwrap();
    let record = world
        .manager
        .request_key(&key, at(2))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.session_id, second.id);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn the_same_task_id_from_ten_sockets_runs_once() {
    let world = World::new().await;
    let (run, key) = named_run(&world.owner, "task-1");
    let creates = (0..10).map(|_| async {
        let run = NewRun {
            id: new_run().id,
            ..run.clone()
        };
        let new = world.new_session(Mode::OneShot, Some(run));
        world.manager.create(&new, &rows(), Some(&key), at(0)).await
    });
    let (won, lost): (Vec<_>, Vec<_>) =
        join_all(creates).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 9));
    let state = won.into_iter().next().unwrap().unwrap().state;
    for lost in lost {
        let record = taken(lost);
        assert_eq!(record.session_id, state.session_id);
        assert_eq!(record.run_id, state.run.as_ref().map(|run| run.id));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn ten_starts_with_one_key_start_one_run_and_return_it() {
    let world = World::new().await;
    let id = world.session(Mode::Copilot).await.session_id;
    let key = RequestKey::idempotency(world.owner.clone(), "/runs", "k", "{}");
    let starts = (0..10).map(|_| async {
        world
            .start_run(id, &world.ada(), &new_run(), Some(&key), at(1))
            .await
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(starts).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 9));
    let started = won.into_iter().next().unwrap().unwrap();
    let Some(RowChange::RunStarted(row)) = started.row_changes.first() else {
        panic!("{started:?}");
    };
    let lease = take_lease(&started.state, at(100));
    let running = world
        .manager
        .commit_on(started.state.clone(), &lease, at(1));
    let running = running.await.unwrap().state;
    for lost in lost {
        let record = taken(lost);
        assert_eq!(record.run_id, Some(row.id));
        assert_eq!(&world.manager.as_started(&record).await.unwrap(), row);
    }
    let other = RequestKey::idempotency(world.owner.clone(), "/runs", "k2", "{}");
    let refused = world
        .start_run(id, &world.ada(), &new_run(), Some(&other), at(2))
        .await;
    assert!(matches!(
        refused,
        Err(ChangeError::Refused(Refusal::RunUnfinished { .. }, _))
    ));
    assert!(
        world
            .manager
            .request_key(&other, at(2))
            .await
            .unwrap()
            .is_none(),
        "a refused start must store no key"
    );
    world
        .manager
        .commit_on(running.clone(), &finish(&running), at(3))
        .await
        .unwrap();
    let record = world.manager.request_key(&key, at(3)).await.unwrap();
    let again = world.manager.as_started(&record.unwrap()).await.unwrap();
    assert_eq!(&again, row, "a repetition must return the first answer");
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_stored_key_contains_no_text_of_the_client() {
    let world = World::new().await;
    let key = creates(&world, "k", "{}");
    let new = world.new_session(Mode::Copilot, Some(new_run()));
    world
        .manager
        .create(&new, &rows(), Some(&key), at(0))
        .await
        .unwrap();
    let scan = world.client.scan().table_name(&world.table).send();
    let items = scan.await.unwrap().items.unwrap();
    let stored: Vec<_> = items
        .iter()
        .filter(|item| item["PK"].as_s().unwrap().starts_with("KEY#"))
        .collect();
    assert_eq!(stored.len(), 1);
    let mut names: Vec<_> = stored[0].keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["PK", "SK", "request", "run_id", "session_id", "ttl"]
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_stored_reply_is_deleted_with_its_session() {
    let world = World::new().await;
    let state = world.queued(Mode::Copilot).await;
    let id = state.session_id;
    world.does(id, Command::Delete, at(1)).await.unwrap();
    let gone = world.manager.as_created(id).await;
    assert!(matches!(gone, Err(ReadError::NoSuchSession)));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_task_id_is_kept_until_a_day_after_its_run() {
    let world = World::new().await;
    let (run, key) = named_run(&world.owner, "task-1");
    let new = world.new_session(Mode::OneShot, Some(run));
    let queued = world
        .manager
        .create(&new, &rows(), Some(&key), at(0))
        .await
        .unwrap()
        .state;
    assert!(
        world
            .manager
            .request_key(&key, at(100 * DAY))
            .await
            .unwrap()
            .is_some(),
        "the key is kept while the run is unfinished"
    );
    let lease = take_lease(&queued, at(100));
    let running = world
        .manager
        .commit_on(queued, &lease, at(1))
        .await
        .unwrap()
        .state;
    world
        .manager
        .commit_on(running.clone(), &finish(&running), at(10))
        .await
        .unwrap();
    assert!(
        world
            .manager
            .request_key(&key, at(10 + DAY - 1))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        world
            .manager
            .request_key(&key, at(10 + DAY))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn the_end_of_a_run_creates_no_key() {
    let world = World::new().await;
    let (run, _) = named_run(&world.owner, "task-1");
    let task_key = run.task_id.clone().unwrap().digest;
    let new = world.new_session(Mode::Copilot, Some(run));
    world
        .manager
        .create(&new, &rows(), None, at(0))
        .await
        .unwrap();
    world.does(new.id, CANCEL, at(1)).await.unwrap();
    let pk = format!("KEY#{}#task#{task_key}", world.owner);
    assert!(world.partition(&pk).await.is_empty());
}
