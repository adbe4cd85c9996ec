//! Slots: one of several concurrent callers gets a slot, and the sweeper ignores a run that waits
//! for one.

use std::time::Duration;

use futures::future::join_all;
use session::{Mode, Rules, Timestamp};
use session_manager::{SHARDS, Slot};

use crate::proxy::Fault;
use crate::world::{Item, SUSPEND, World, at};

const EVERY: Duration = Duration::from_secs(3);

async fn take(world: &World, second: u64) -> Slot {
    let taken = world.manager.take_slot("arxiv", EVERY, at(second)).await;
    taken.unwrap()
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn one_of_twenty_concurrent_callers_gets_each_slot() {
    let world = World::new().await;
    for second in [0, 3, 6] {
        let takers = (0..20).map(|_| take(&world, second));
        let came = join_all(takers).await;
        let winners = came.iter().filter(|slot| **slot == Slot::Taken);
        assert_eq!(winners.count(), 1, "at second {second}");
        let losers = came
            .iter()
            .filter(|slot| **slot == Slot::FreeAt(at(second + 3)));
        assert_eq!(losers.count(), 19, "at second {second}");
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_slot_becomes_free_and_slots_are_independent() {
    let world = World::new().await;
    assert_eq!(take(&world, 0).await, Slot::Taken);
    assert_eq!(take(&world, 2).await, Slot::FreeAt(at(3)));
    assert_eq!(take(&world, 3).await, Slot::Taken);
    let other = world.manager.take_slot("another", EVERY, at(3)).await;
    assert_eq!(other.unwrap(), Slot::Taken);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_postponed_slot_is_free_later_for_all_and_never_earlier() {
    let world = World::new().await;
    let until = |second| world.manager.push_back_slot("arxiv", at(second));
    until(60).await.unwrap();
    assert_eq!(take(&world, 59).await, Slot::FreeAt(at(60)));
    until(30).await.unwrap();
    assert_eq!(take(&world, 59).await, Slot::FreeAt(at(60)));
    assert_eq!(take(&world, 60).await, Slot::Taken);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn each_of_twenty_concurrent_callers_has_a_place_of_its_own() {
    let world = World::new().await;
    let place = |second| world.manager.take_place("line", EVERY, at(second));
    let mut places: Vec<_> = join_all((0..20).map(|_| place(0)))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    places.sort_unstable();
    let expected: Vec<_> = (0..20).map(|number| at(number * 3)).collect();
    assert_eq!(places, expected);
    // The next caller is behind them, and after a pause a line is empty.
    assert_eq!(place(1).await.unwrap(), at(60));
    assert_eq!(place(100).await.unwrap(), at(100));
    assert_eq!(place(100).await.unwrap(), at(103));
    // A pause moves the line for all, and a lost reply leaves a place empty.
    world.manager.push_back_slot("line", at(200)).await.unwrap();
    world.proxy.next("UpdateItem", [Fault::LoseReply]);
    assert_eq!(place(200).await.unwrap(), at(203));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn taking_a_slot_with_a_lost_reply_uses_it_up() {
    let world = World::new().await;
    world.proxy.next("UpdateItem", [Fault::LoseReply]);
    assert_eq!(take(&world, 0).await, Slot::FreeAt(at(3)));
    assert_eq!(take(&world, 3).await, Slot::Taken);
}

/// Whether the sweeper would find a due session.
async fn is_due(world: &World, now: Timestamp) -> bool {
    for shard in 0..SHARDS {
        if !world
            .manager
            .due(shard, now, 10, None)
            .await
            .unwrap()
            .is_empty()
        {
            return true;
        }
    }
    false
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn postponing_a_queued_run_moves_its_due_time_without_an_append() {
    let world = World::new().await;
    let state = world.queued(Mode::Arxiv).await;
    let requeue = Rules::default().requeue.as_secs();
    assert!(is_due(&world, at(requeue)).await);
    let events = world.assert_whole(state.session_id).await;
    let postpone = |second| world.manager.postpone(state.session_id, at(second));
    postpone(20).await.unwrap();
    assert!(!is_due(&world, at(20 + requeue - 1)).await);
    assert!(is_due(&world, at(20 + requeue)).await);
    // No further write while half of the time is left.
    postpone(30).await.unwrap();
    assert!(is_due(&world, at(20 + requeue)).await);
    assert_eq!(world.assert_whole(state.session_id).await, events);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn postponing_never_makes_a_session_due() {
    let world = World::new().await;
    let state = world.queued(Mode::PlanningControl).await;
    let suspended = world.does(state.session_id, SUSPEND, at(1));
    suspended.await.unwrap();
    let summary = async || world.item(state.session_id, "SUMMARY").await.unwrap();
    let before: Item = summary().await;
    assert!(!before.contains_key("due"));
    let postponed = world.manager.postpone(state.session_id, at(20));
    postponed.await.unwrap();
    assert_eq!(summary().await, before);
}
