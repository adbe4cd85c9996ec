//! The limits of an owner: live runs under concurrent starts, and what is counted by the day.

use futures::future::join_all;
use session::{Command, Mode, OwnerId, State, Timestamp};
use session_manager::{ChangeError, Committed, LimitReached, OwnerLimits, RequestKey};

use crate::proxy::Fault;
use crate::world::{CANCEL, SUSPEND, World, at, new_run};

const LIMIT: u32 = 20;

async fn limited(limit: u32) -> World {
    let mut world = World::new().await;
    world.manager = world.manager.clone().with_limits(OwnerLimits {
        live_runs: Some(limit),
        ..OwnerLimits::default()
    });
    world
}

/// Starts a run as a client does: it is admitted first.
async fn start(world: &World, state: State, now: Timestamp) -> Result<Committed, ChangeError> {
    let run = new_run();
    let manager = &world.manager;
    manager.admit_run(&state, &run, None, now).await?;
    manager.start_run(state, &run, None, None, now).await
}

fn is_limited<T>(started: &Result<T, ChangeError>) -> bool {
    matches!(
        started,
        Err(ChangeError::Limited(LimitReached::LiveRuns(_)))
    )
}

async fn reserved(world: &World) -> usize {
    let items = world.partition(&format!("OWNER#{}", world.owner)).await;
    items
        .first()
        .map_or(0, |item| item["reserved"].as_bs().unwrap().len())
}

/// Starts a run in each of so many new sessions at once.
async fn start_at_once(world: &World, count: usize) -> Vec<Result<Committed, ChangeError>> {
    let states = join_all((0..count).map(|_| world.session(Mode::OneShot))).await;
    join_all(states.into_iter().map(|state| start(world, state, at(1)))).await
}

fn count_limited<T>(started: &[Result<T, ChangeError>]) -> usize {
    started.iter().filter(|one| is_limited(one)).count()
}

async fn resume(world: &World, state: &State, now: Timestamp) -> Result<Committed, ChangeError> {
    let command = Command::Resume {
        run: None,
        context: None,
        takeover: None,
    };
    world.does(state.session_id, command, now).await
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn of_fifty_concurrent_starts_as_many_succeed_as_the_limit_allows() {
    let world = limited(LIMIT).await;
    let started = start_at_once(&world, 50).await;
    assert_eq!(started.iter().filter(|one| one.is_ok()).count(), 20);
    assert_eq!(count_limited(&started), 30);
    assert_eq!(reserved(&world).await, 20);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn concurrent_starts_share_the_places_of_runs_that_have_ended() {
    let world = limited(LIMIT).await;
    let first = start_at_once(&world, 20).await;
    for started in &first[..7] {
        let session = started.as_ref().unwrap().state.session_id;
        world.does(session, CANCEL, at(2)).await.unwrap();
    }
    let second = start_at_once(&world, 50).await;
    assert_eq!(second.iter().filter(|one| one.is_ok()).count(), 7);
    assert_eq!(count_limited(&second), 43);
    assert_eq!(reserved(&world).await, 20);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_refused_start_leaves_nothing_and_costs_others_nothing() {
    let world = limited(1).await;
    let state = world.session(Mode::OneShot).await;
    start(&world, state.clone(), at(1)).await.unwrap();
    let second = world.session(Mode::OneShot).await;
    let before = world
        .partition(&format!("SESSION#{}", second.session_id))
        .await;
    assert!(is_limited(&start(&world, second.clone(), at(1)).await));
    let after = world
        .partition(&format!("SESSION#{}", second.session_id))
        .await;
    assert_eq!(before, after);
    // Another owner has places of its own.
    let bob = OwnerId::of("tests", "bob");
    let reserved_by_bob = world.manager.reserve_run(&bob, new_run().id, at(1));
    reserved_by_bob.await.unwrap();
    // A start that the session refuses takes no place.
    let refused = start(
        &world,
        world
            .manager
            .state(state.session_id, &world.ada())
            .await
            .unwrap(),
        at(1),
    );
    assert!(refused.await.unwrap_err().refusal().is_some());
    assert_eq!(reserved(&world).await, 1);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_paused_or_deleted_run_makes_room_and_a_resumed_one_needs_it() {
    let world = limited(1).await;
    let state = world.session(Mode::PlanningControl).await;
    let paused = start(&world, state, at(1)).await.unwrap().state;
    world.does(paused.session_id, SUSPEND, at(2)).await.unwrap();
    // For a minute it may be about to be resumed.
    let other = world.session(Mode::OneShot).await;
    assert!(is_limited(&start(&world, other.clone(), at(60)).await));
    start(&world, other.clone(), at(61)).await.unwrap();
    assert!(is_limited(&resume(&world, &paused, at(62)).await));
    assert_eq!(
        world.assert_whole(paused.session_id).await,
        paused.last_seq.0 + 1,
        "the refused resume appends nothing"
    );
    world
        .does(other.session_id, Command::Delete, at(63))
        .await
        .unwrap();
    let resumed = resume(&world, &paused, at(63)).await.unwrap();
    assert!(resumed.state.unfinished_run().unwrap().status.is_live());
    let third = world.session(Mode::OneShot).await;
    assert!(is_limited(&start(&world, third, at(200)).await));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_place_without_a_run_is_free_after_a_minute() {
    let world = limited(1).await;
    let state = world.session(Mode::OneShot).await;
    let lost = new_run();
    let admitted = world.manager.admit_run(&state, &lost, None, at(1)).await;
    admitted.unwrap();
    assert!(is_limited(&start(&world, state.clone(), at(60)).await));
    start(&world, state, at(61)).await.unwrap();
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_reservation_whose_reply_is_lost_is_made_once() {
    let world = limited(2).await;
    let state = world.session(Mode::OneShot).await;
    world.proxy.next("UpdateItem", [Fault::LoseReply]);
    start(&world, state, at(1)).await.unwrap();
    assert_eq!(reserved(&world).await, 1);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_repeated_start_is_told_the_first_answer_also_beyond_the_limit() {
    let world = limited(1).await;
    let state = world.session(Mode::OneShot).await;
    let key = RequestKey::idempotency(world.owner.clone(), "/runs", "mine", "{}");
    let (run, manager) = (new_run(), &world.manager);
    let admit = async |state: &State| {
        let run = new_run();
        manager.admit_run(state, &run, Some(&key), at(1)).await
    };
    admit(&state).await.unwrap();
    let started = manager.start_run(state, &run, None, Some(&key), at(1));
    let state = started.await.unwrap().state;
    match admit(&state).await {
        Err(ChangeError::KeyTaken(first)) => assert_eq!(first.run_id, Some(run.id)),
        other => panic!("{other:?}"),
    }
}

/// A table whose owners may spend a dollar a day.
async fn with_a_dollar() -> World {
    let mut world = World::new().await;
    world.manager = world.manager.clone().with_limits(OwnerLimits {
        cost_usd_per_day: Some(1.0),
        ..OwnerLimits::default()
    });
    world
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn concurrent_costs_of_a_day_are_added_up_and_refuse_a_start_once_spent() {
    let world = with_a_dollar().await;
    let (manager, owner) = (&world.manager, &world.owner);
    assert_eq!(manager.left_today(owner, at(1)).await.unwrap(), Some(1.0));
    let spends = (0..30).map(|_| manager.spend(owner, 0.033_000_001, at(1)));
    let left = join_all(spends)
        .await
        .into_iter()
        .map(|left| left.unwrap().unwrap());
    let least = left.fold(1.0, f64::min);
    assert!((least - 0.009_999_97).abs() < 1e-9, "{least}");
    let state = world.session(Mode::OneShot).await;
    manager
        .admit_run(&state, &new_run(), None, at(1))
        .await
        .unwrap();
    manager.spend(owner, 0.02, at(1)).await.unwrap();
    // 2026-09-21T14:13:21Z: the day has 35,199 seconds left.
    let refused = manager.admit_run(&state, &new_run(), None, at(1)).await;
    match refused {
        Err(ChangeError::Limited(LimitReached::DaysCosts { renewed_in })) => {
            assert_eq!(renewed_in.as_secs(), 35_199);
        }
        other => panic!("{other:?}"),
    }
    let (next_day, bob) = (at(35_200), OwnerId::of("tests", "bob"));
    let admitted = manager.admit_run(&state, &new_run(), None, next_day).await;
    admitted.unwrap();
    assert_eq!(manager.left_today(&bob, at(1)).await.unwrap(), Some(1.0));
    let items = world.partition(&format!("OWNER#{owner}")).await;
    assert_eq!(items.len(), 1, "live runs without a limit are not counted");
    assert!(items[0].contains_key("ttl"));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn of_concurrent_promises_of_uploads_as_many_hold_as_fit_a_day() {
    let mut world = World::new().await;
    world.manager = world.manager.clone().with_limits(OwnerLimits {
        upload_bytes_per_day: Some(100),
        ..OwnerLimits::default()
    });
    let promise = |bytes, now| world.manager.promise_upload(&world.owner, bytes, now);
    let promised = join_all((0..50).map(|_| promise(9, at(1)))).await;
    assert_eq!(promised.iter().filter(|one| one.is_ok()).count(), 11);
    promise(1, at(1)).await.unwrap();
    for bytes in [1, 101] {
        let expected = LimitReached::DaysUploads {
            limit: 100,
            renewed_in: std::time::Duration::from_secs(35_199),
        };
        match promise(bytes, at(1)).await {
            Err(ChangeError::Limited(reached)) => assert_eq!(reached, expected),
            other => panic!("{other:?}"),
        }
    }
    promise(100, at(35_200)).await.unwrap();
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn without_a_limit_nothing_is_counted() {
    let world = World::new().await;
    let (manager, owner) = (&world.manager, &world.owner);
    assert_eq!(manager.spend(owner, 5.0, at(1)).await.unwrap(), None);
    assert_eq!(manager.left_today(owner, at(1)).await.unwrap(), None);
    let state = world.session(Mode::OneShot).await;
    manager
        .admit_run(&state, &new_run(), None, at(1))
        .await
        .unwrap();
    let items = world.partition(&format!("OWNER#{owner}")).await;
    assert!(items.is_empty(), "{items:?}");
}
