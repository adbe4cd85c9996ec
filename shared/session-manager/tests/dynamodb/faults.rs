//! Faults that no emulator produces: replies that are lost after the write or never come,
//! throttling, and conflicts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use session::{Command, Mode, SessionStatus};
use session_manager::{ChangeError, Purged, ReadError};
use tokio::sync::Notify;

use crate::proxy::Fault;
use crate::world::{SUSPEND, World, at, finish, new_run, note, rows, run_of};

const PUT: &str = "PutItem";
const TRANSACTION: &str = "TransactWriteItems";

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_put_with_a_lost_reply_writes_one_entry() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    world.proxy.seen();
    world.proxy.next(PUT, [Fault::LoseReply]);
    let noted = note(&state, "once");
    let committed = world
        .manager
        .commit_on(state.clone(), &noted, at(2))
        .await
        .unwrap();
    assert_eq!(
        world.proxy.seen(),
        [PUT, PUT],
        "the request must be sent twice"
    );
    assert_eq!(committed.envelopes.len(), 1);
    let last = world.assert_whole(state.session_id).await;
    assert_eq!(last, state.last_seq.0 + 1);
    assert_eq!(
        committed.state,
        world
            .manager
            .state(state.session_id, &world.ada())
            .await
            .unwrap()
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_transaction_with_a_lost_reply_writes_one_entry() {
    let world = World::new().await;
    let id = world.session(Mode::PlanningControl).await.session_id;
    world.proxy.seen();
    world.proxy.next(TRANSACTION, [Fault::LoseReply]);
    let suspended = world.does(id, SUSPEND, at(1)).await.unwrap();
    assert_eq!(world.proxy.seen(), ["Query", TRANSACTION, TRANSACTION]);
    assert_eq!(suspended.state.status, SessionStatus::Suspended);
    assert_eq!(world.assert_whole(id).await, 2);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_create_with_a_lost_reply_makes_one_session() {
    let world = World::new().await;
    let new = world.new_session(Mode::OneShot, Some(new_run()));
    world
        .proxy
        .next(TRANSACTION, [Fault::LoseReply, Fault::LoseReply]);
    let created = world
        .manager
        .create(&new, &rows(), None, at(0))
        .await
        .unwrap();
    assert_eq!(created.state.last_seq.0, world.assert_whole(new.id).await);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn without_any_reply_the_error_is_unavailable_and_the_entry_is_one() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    world
        .proxy
        .next(PUT, [Fault::LoseReply, Fault::LoseReply, Fault::LoseReply]);
    let lost = world
        .manager
        .commit_on(state.clone(), &note(&state, "once"), at(2))
        .await;
    let Err(ChangeError::Unavailable(error)) = lost else {
        panic!("{lost:?}");
    };
    assert_eq!(error.to_string(), "DynamoDB PutItem failed");
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(
        world.assert_whole(state.session_id).await,
        state.last_seq.0 + 1
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_hanging_connection_times_out_early_enough_for_a_retry() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    let twice = [Fault::Hang, Fault::Hang];
    world.proxy.next(PUT, twice.clone());
    let noted = world
        .manager
        .commit_on(state.clone(), &note(&state, "once"), at(2))
        .await
        .unwrap();
    assert_eq!(world.assert_whole(id).await, state.last_seq.0 + 1);

    world.proxy.next("Query", [Fault::Hang]);
    world.proxy.next(TRANSACTION, twice);
    let done = world.does(id, SUSPEND, at(3)).await.unwrap();
    assert_eq!(done.state.last_seq, noted.state.last_seq.plus(1));
    assert_eq!(world.assert_whole(id).await, done.state.last_seq.0);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_hanging_service_is_unavailable_within_the_operation_timeout() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    world.proxy.next(PUT, vec![Fault::Hang; 9]);
    world.proxy.seen();
    let hung = world
        .manager
        .commit_on(state.clone(), &note(&state, "once"), at(2))
        .await;
    assert!(matches!(&hung, Err(error @ ChangeError::Unavailable(_)) if error.is_temporary()));
    assert_eq!(world.proxy.seen(), [PUT; 3]);
    assert_eq!(
        world.assert_whole(state.session_id).await,
        state.last_seq.0 + 1
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_throttled_put_is_retried() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    for code in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
    ] {
        // The SDK itself makes three attempts. The fourth belongs to the second attempt of the
        // manager.
        world.proxy.next(PUT, vec![Fault::throttled(code); 4]);
        let newest = world
            .manager
            .state(state.session_id, &world.ada())
            .await
            .unwrap();
        world
            .manager
            .commit_on(newest, &note(&state, code), at(2))
            .await
            .unwrap();
    }
    assert_eq!(
        world.assert_whole(state.session_id).await,
        state.last_seq.0 + 3
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn endless_throttling_is_unavailable_and_writes_nothing() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    world
        .proxy
        .next(PUT, vec![Fault::throttled("ThrottlingException"); 100]);
    let throttled = world
        .manager
        .commit_on(state.clone(), &note(&state, "never"), at(2))
        .await;
    let Err(error @ ChangeError::Unavailable(_)) = throttled else {
        panic!("{throttled:?}");
    };
    assert!(error.is_temporary());
    assert!(matches!(&error, ChangeError::Unavailable(storage) if storage.is_throttled()));
    assert!(!error.to_string().contains("never"));
    assert_eq!(world.assert_whole(state.session_id).await, state.last_seq.0);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_transaction_that_conflicts_with_another_is_retried() {
    let world = World::new().await;
    let state = world.running(Mode::OneShot).await;
    let reasons = [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    world.proxy.next(TRANSACTION, reasons.map(Fault::cancelled));
    world.proxy.seen();
    let done = world
        .manager
        .commit_on(state.clone(), &finish(&state), at(2))
        .await
        .unwrap();
    assert_eq!(world.proxy.seen(), [TRANSACTION; 4]);
    assert_eq!(done.state.status, SessionStatus::Completed);
    assert_eq!(
        world.assert_whole(state.session_id).await,
        done.state.last_seq.0
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_put_that_conflicts_with_a_transaction_is_retried() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    world
        .proxy
        .next(PUT, [Fault::throttled("TransactionConflictException")]);
    world
        .manager
        .commit_on(state.clone(), &note(&state, "once"), at(2))
        .await
        .unwrap();
    assert_eq!(
        world.assert_whole(state.session_id).await,
        state.last_seq.0 + 1
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn endless_conflicts_are_contention() {
    let world = World::new().await;
    let id = world.session(Mode::PlanningControl).await.session_id;
    world.proxy.next(
        TRANSACTION,
        vec![Fault::cancelled("TransactionConflict"); 20],
    );
    world.proxy.seen();
    let refused = world.does(id, SUSPEND, at(1)).await;
    assert!(matches!(refused, Err(ChangeError::Contention)));
    assert_eq!(
        world.proxy.seen().len(),
        1 + 10,
        "the put is tried ten times"
    );
    assert_eq!(world.assert_whole(id).await, 1);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_request_that_dynamodb_calls_invalid_is_not_retried() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    world
        .proxy
        .next(PUT, [Fault::throttled("ValidationException")]);
    world.proxy.seen();
    let refused = world
        .manager
        .commit_on(state.clone(), &note(&state, "x"), at(2))
        .await;
    let Err(ChangeError::Unavailable(error)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.code(), Some("ValidationException"));
    assert_eq!(world.proxy.seen(), [PUT]);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn an_outage_is_unavailable_and_never_an_empty_result() {
    let world = World::new().await;
    let state = world.session(Mode::PlanningControl).await;
    let (id, ada) = (state.session_id, world.ada());
    world
        .proxy
        .next("Query", vec![Fault::throttled("InternalServerError"); 200]);
    use session_manager::ReadError::Unavailable;
    let manager = &world.manager;
    assert!(matches!(manager.state(id, &ada).await, Err(Unavailable(_))));
    assert!(matches!(
        manager.session(id, &ada).await,
        Err(Unavailable(_))
    ));
    assert!(matches!(
        manager.history(id, &ada, 9, None).await,
        Err(Unavailable(_))
    ));
    assert!(matches!(
        manager.events(id, &ada, session::Seq(0), 9).await,
        Err(Unavailable(_))
    ));
    assert!(matches!(
        manager.runs(id, &ada, 9, None).await,
        Err(Unavailable(_))
    ));
    let list = manager
        .list(&world.owner, session_manager::Filter::default(), 9, None)
        .await;
    assert!(matches!(list, Err(Unavailable(_))));
    assert!(matches!(
        manager.due(0, at(0), 9, None).await,
        Err(Unavailable(_))
    ));
    assert!(matches!(
        world.does(id, SUSPEND, at(1)).await,
        Err(ChangeError::Unavailable(_))
    ));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_put_with_a_lost_reply_is_recognised_behind_later_entries() {
    let world = Arc::new(World::new().await);
    let state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    let suspended = Arc::new(Notify::new());
    world
        .proxy
        .next(PUT, [Fault::LoseReplyAfter(suspended.clone())]);
    let writer = tokio::spawn({
        let (world, state) = (world.clone(), state.clone());
        async move {
            world
                .manager
                .commit_on(state.clone(), &note(&state, "once"), at(2))
                .await
        }
    });
    while world
        .sort_keys(id)
        .await
        .iter()
        .filter(|sk| sk.starts_with("LOG#"))
        .count()
        < 3
    {
        tokio::task::yield_now().await;
    }
    let newest = world.does(id, SUSPEND, at(3)).await.unwrap();
    suspended.notify_one();
    let committed = writer.await.unwrap().unwrap();
    assert_eq!(committed.state.last_seq, state.last_seq.plus(1));
    assert_eq!(world.assert_whole(id).await, newest.state.last_seq.0);
    assert_eq!(newest.state.messages, 2, "the task and one message");
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn unprocessed_items_of_a_batch_are_requested_again() {
    let world = World::new().await;
    let state = world.queued(Mode::OneShot).await;
    let (id, run) = (state.session_id, run_of(&state).id);
    world
        .proxy
        .next("BatchGetItem", [Fault::LeaveUndone, Fault::LeaveUndone]);
    let config = world.manager.run_config(id, run).await.unwrap();
    assert_eq!(config, r#"{"model":"small"}"#);

    world.does(id, Command::Delete, at(1)).await.unwrap();
    world.proxy.next("BatchWriteItem", [Fault::LeaveUndone]);
    let soon = Instant::now() + Duration::from_secs(60);
    let purged = world.manager.purge(id, at(3600), soon).await.unwrap();
    // The last entry, and the summary until the second purge.
    assert_eq!((purged, world.sort_keys(id).await.len()), (Purged::Done, 2));

    world
        .proxy
        .next("BatchGetItem", vec![Fault::LeaveUndone; 20]);
    let never = world.manager.run_config(id, run).await;
    assert!(matches!(never, Err(ReadError::Unavailable(error)) if error.is_throttled()));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_purge_interrupted_in_any_batch_stays_due() {
    let world = World::new().await;
    let id = world.queued(Mode::OneShot).await.session_id;
    world.does(id, Command::Delete, at(1)).await.unwrap();
    // The batch of the run's locator, and that of its row.
    world.proxy.next(
        "BatchWriteItem",
        [Fault::LeaveAllButLast, Fault::LeaveAllButLast],
    );
    world
        .proxy
        .next("BatchWriteItem", vec![Fault::LeaveUndone; 20]);
    let soon = Instant::now() + Duration::from_secs(60);
    let broken = world.manager.purge(id, at(3600), soon).await;
    assert!(matches!(broken, Err(ReadError::Unavailable(_))));
    let summary = world.item(id, "SUMMARY").await.unwrap();
    assert!(
        summary.contains_key("due"),
        "the sweeper must find the session"
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_row_stays_until_the_locator_of_its_run_is_deleted() {
    let world = World::new().await;
    let state = world.queued(Mode::OneShot).await;
    let (id, run) = (state.session_id, run_of(&state).id);
    world.does(id, Command::Delete, at(1)).await.unwrap();
    world
        .proxy
        .next("BatchWriteItem", vec![Fault::LeaveUndone; 10]);
    let soon = Instant::now() + Duration::from_secs(60);
    let purge = || world.manager.purge(id, at(3600), soon);
    assert!(matches!(purge().await, Err(ReadError::Unavailable(_))));
    assert_eq!(world.locators(&[run]).await, 1);
    assert!(world.item(id, &format!("RUN#{run}")).await.is_some());
    assert_eq!(purge().await.unwrap(), Purged::Done);
    assert_eq!(world.locators(&[run]).await, 0);
}
