//! What is owed is found, and a deleted session's items go, all but the entry that says so.

use std::time::{Duration, Instant};

use session::{Command, Mode, SessionId};
use session_manager::{ConnectionId, Purged, SHARDS};

use crate::world::{World, at, finish, note};

const DELAY: u64 = 20 * 60;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

async fn due(world: &World, second: u64) -> Vec<SessionId> {
    let mut all = Vec::new();
    for shard in 0..SHARDS {
        all.extend(world.manager.due(shard, at(second), 100).await.unwrap());
    }
    all
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn what_is_owed_is_found_when_its_time_has_come() {
    let world = World::new().await;
    let queued = world.queued(Mode::PlanningControl).await.session_id;
    assert_eq!(due(&world, 29).await, []);
    assert_eq!(due(&world, 30).await, [queued], "a message that was lost");
    let running = world.running(Mode::OneShot).await;
    assert_eq!(due(&world, 99).await, [queued]);
    assert!(
        due(&world, 100).await.contains(&running.session_id),
        "a lease that is over"
    );
    world
        .manager
        .commit_on(running.clone(), &finish(&running), at(50))
        .await
        .unwrap();
    assert_eq!(
        due(&world, 1000).await,
        [queued],
        "a finished run owes nothing"
    );
    let recovered = world.does(queued, Command::Recover, at(30)).await.unwrap();
    assert!(recovered.state.wake(at(30)).is_some());
    assert_eq!(due(&world, 89).await, [], "the pause doubles");
    assert_eq!(due(&world, 90).await, [queued]);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_shard_is_read_up_to_its_limit_the_longest_overdue_first() {
    let world = World::new().await;
    let mut made = Vec::new();
    while made.len() < 3 {
        let id = world.queued(Mode::OneShot).await.session_id;
        if id.as_u128() % u128::from(SHARDS) == 0 {
            made.push(id);
        }
    }
    assert_eq!(world.manager.due(0, at(60), 2).await.unwrap().len(), 2);
    assert_eq!(world.manager.due(0, at(60), 9).await.unwrap().len(), 3);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_purge_leaves_the_last_entry_and_nothing_else() {
    let world = World::new().await;
    let mut state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    for n in 0..60 {
        state = world
            .manager
            .commit_on(state.clone(), &note(&state, &n.to_string()), at(2))
            .await
            .unwrap()
            .state;
    }
    let follower = ConnectionId::new("c=");
    world
        .manager
        .connect(&follower, &world.owner, "task", at(2))
        .await
        .unwrap();
    world
        .manager
        .follow(&follower, id, None, at(2))
        .await
        .unwrap();
    let asleep = state;
    let deleted = world.does(id, Command::Delete, at(3)).await.unwrap();

    let early = world
        .manager
        .purge(id, at(3 + DELAY - 1), soon())
        .await
        .unwrap();
    assert_eq!(early, Purged::NotDue);
    assert!(world.sort_keys(id).await.len() > 60);
    assert_eq!(due(&world, 3 + DELAY).await, [id]);

    let late = world
        .manager
        .purge(id, at(3 + DELAY), soon())
        .await
        .unwrap();
    assert_eq!(late, Purged::Done);
    let last = format!("LOG#{:012}", asleep.last_seq.0 + 1);
    assert_eq!(world.sort_keys(id).await, std::slice::from_ref(&last));
    assert!(world.item(id, &last).await.unwrap().contains_key("ttl"));
    assert_eq!(deleted.envelopes[0].seq.unwrap(), asleep.last_seq.plus(1));
    assert_eq!(due(&world, 3 + 2 * DELAY).await, []);

    // A writer from before meets the entry that stays, and a second purge finds nothing to do.
    let ghost = world
        .manager
        .commit_on(asleep.clone(), &note(&asleep, "ghost"), at(4))
        .await;
    assert_eq!(
        ghost.unwrap_err().refusal(),
        Some(&session::Refusal::NoSuchSession)
    );
    assert_eq!(
        world
            .manager
            .purge(id, at(3 + DELAY), soon())
            .await
            .unwrap(),
        Purged::Done
    );
    assert_eq!(world.sort_keys(id).await, [last]);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_purge_without_time_left_is_found_again() {
    let world = World::new().await;
    let id = world.queued(Mode::PlanningControl).await.session_id;
    world.does(id, Command::Delete, at(0)).await.unwrap();
    let before = world.sort_keys(id).await;
    let none = world
        .manager
        .purge(id, at(DELAY), Instant::now())
        .await
        .unwrap();
    assert_eq!(none, Purged::More);
    assert_eq!(world.sort_keys(id).await, before);
    assert_eq!(due(&world, DELAY).await, [id]);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_living_session_is_never_purged() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let before = world.sort_keys(state.session_id).await;
    let purged = world
        .manager
        .purge(state.session_id, at(u32::MAX.into()), soon())
        .await
        .unwrap();
    assert_eq!(purged, Purged::NotDue);
    assert_eq!(world.sort_keys(state.session_id).await, before);
    let nowhere = world.new_session(Mode::OneShot, None).id;
    assert_eq!(
        world.manager.purge(nowhere, at(0), soon()).await.unwrap(),
        Purged::Done
    );
}
