//! Due actions are found, and a purge deletes all items of a session except the entry that marks it
//! deleted.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use session::{Command, EventBody, Mode, Rules, Seq, SessionId, State, StoredEventBody};
use session_manager::{ConnectionId, Overdue, Purged, SHARDS, SessionManager};

use crate::world::{CANCEL, SUSPEND, World, at, finish, new_run, note, rows, run_of};

const DELAY: u64 = 20 * 60;
const DAY: u64 = 24 * 3600;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

async fn due(world: &World, second: u64) -> Vec<SessionId> {
    let mut all = Vec::new();
    for shard in 0..SHARDS {
        let due = world.manager.due(shard, at(second), 100, None).await;
        all.extend(due.unwrap().into_iter().map(|overdue| overdue.session));
    }
    all
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_due_action_is_found_once_its_time_has_come() {
    let world = World::new().await;
    let queued = world.queued(Mode::PlanningControl).await.session_id;
    assert_eq!(due(&world, 29).await, []);
    assert_eq!(
        due(&world, 30).await,
        [queued],
        "the run of a lost message is due"
    );
    let running = world.running(Mode::OneShot).await;
    assert_eq!(due(&world, 99).await, [queued]);
    assert!(
        due(&world, 100).await.contains(&running.session_id),
        "a run with an expired lease is due"
    );
    world
        .manager
        .commit_on(running.clone(), &finish(&running), at(50))
        .await
        .unwrap();
    assert_eq!(
        due(&world, 1000).await,
        [queued],
        "a completed run has no due action"
    );
    let recovered = world.does(queued, Command::Recover, at(30)).await.unwrap();
    assert!(recovered.state.wake(at(30)).is_some());
    assert_eq!(due(&world, 89).await, [], "the pause doubles");
    assert_eq!(due(&world, 90).await, [queued]);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_shard_is_read_in_pages_with_the_longest_overdue_first() {
    let world = World::new().await;
    let mut made = Vec::new();
    while made.len() < 3 {
        let new = world.new_session(Mode::OneShot, Some(new_run()));
        if new.id.as_u128() % u128::from(SHARDS) == 0 {
            let now = at(made.len() as u64);
            world
                .manager
                .create(&new, &rows(), None, now)
                .await
                .unwrap();
            made.push(new.id);
        }
    }
    let page = async |limit, behind: Option<&Overdue>| {
        let due = world.manager.due(0, at(60), limit, behind).await;
        due.unwrap()
    };
    let all = page(9, None).await;
    assert_eq!(all.iter().map(|one| one.session).collect::<Vec<_>>(), made);
    assert_eq!(all[0].since, at(30));
    assert_eq!(page(2, None).await, all[..2]);
    // The position that a page ended with may have moved meanwhile.
    world.does(made[1], Command::Delete, at(50)).await.unwrap();
    assert_eq!(page(2, Some(&all[1])).await, all[2..]);
    assert_eq!(page(2, Some(&all[2])).await, []);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn an_outdated_due_time_is_corrected() {
    let world = World::new().await;
    let idle = world.session(Mode::Copilot).await;
    let id = idle.session_id;
    let patient = Rules {
        idle_ttl: Duration::from_secs(72 * 3600),
        ..Rules::default()
    };
    let manager = SessionManager::new(world.client.clone(), &world.table, patient);
    let found = async |second| {
        let mut due = Vec::new();
        for shard in 0..SHARDS {
            due.extend(manager.due(shard, at(second), 9, None).await.unwrap());
        }
        due
    };
    let stale = found(30 * 3600).await;
    assert_eq!(stale.len(), 1);
    manager.reschedule(&stale[0], &idle).await.unwrap();
    assert_eq!(found(72 * 3600 - 1).await, []);
    assert_eq!(found(72 * 3600).await[0].session, id);

    // A commit between read and correction is kept.
    let completed = world.does(id, SUSPEND, at(5)).await.unwrap().state;
    let before = world.item(id, "SUMMARY").await;
    manager.reschedule(&stale[0], &idle).await.unwrap();
    assert_eq!(world.item(id, "SUMMARY").await, before);

    // A session without a due action is removed from the index.
    let nothing = world.queued(Mode::OneShot).await;
    let place = Overdue {
        session: nothing.session_id,
        since: at(30),
        put_off_since: None,
    };
    let waits = State {
        session_id: nothing.session_id,
        ..completed
    };
    manager.reschedule(&place, &waits).await.unwrap();
    let summary = world.item(nothing.session_id, "SUMMARY").await.unwrap();
    assert!(!summary.contains_key("due") && !summary.contains_key("due_shard"));

    // A deleted item is not created again.
    let nowhere = Overdue {
        session: world.new_session(Mode::OneShot, None).id,
        since: at(0),
        put_off_since: None,
    };
    manager.reschedule(&nowhere, &idle).await.unwrap();
    assert_eq!(world.sort_keys(nowhere.session).await, [""; 0]);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_session_that_was_put_off_is_due_later_until_a_commit_moves_its_due_time() {
    let world = World::new().await;
    let id = world.queued(Mode::OneShot).await.session_id;
    let found = async |second| {
        let mut due = Vec::new();
        for shard in 0..SHARDS {
            due.extend(world.manager.due(shard, at(second), 9, None).await.unwrap());
        }
        due
    };
    let minute = Duration::from_secs(60);
    let first = found(30).await[0];
    assert_eq!((first.since, first.put_off_since), (at(30), None));
    world.manager.put_off(&first, minute, at(31)).await.unwrap();
    assert_eq!(found(90).await, []);
    let again = found(92).await[0];
    let expected = (at(91), Some(at(31)));
    assert_eq!((again.since, again.put_off_since), expected);
    let behind = world
        .manager
        .due(shard_of(id), at(92), 9, Some(&again))
        .await;
    assert_eq!(behind.unwrap(), []);
    // The index may have shown an outdated time.
    world.manager.put_off(&first, minute, at(92)).await.unwrap();
    assert_eq!(found(92).await, [again]);

    world.does(id, Command::Recover, at(92)).await.unwrap();
    assert_eq!(found(151).await, []);
    let requeued = found(152).await[0];
    assert_eq!((requeued.since, requeued.put_off_since), (at(152), None));
    // A deleted item is not created again.
    let nowhere = Overdue {
        session: world.new_session(Mode::OneShot, None).id,
        ..first
    };
    world
        .manager
        .put_off(&nowhere, minute, at(92))
        .await
        .unwrap();
    assert_eq!(world.sort_keys(nowhere.session).await, [""; 0]);
}

fn shard_of(id: SessionId) -> u8 {
    u8::try_from(id.as_u128() % u128::from(SHARDS)).unwrap()
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_session_whose_events_cannot_be_read_is_changed_recovered_and_purged() {
    let world = World::new().await;
    let id = world.queued(Mode::PlanningControl).await.session_id;
    let break_all = async || {
        for sk in world.sort_keys(id).await {
            if sk.starts_with("LOG#") {
                let mut item = world.item(id, &sk).await.unwrap();
                item.insert("events".into(), AttributeValue::L(Vec::new()));
                let put = world.client.put_item().table_name(&world.table);
                put.set_item(Some(item)).send().await.unwrap();
            }
        }
    };
    break_all().await;
    let read = world.manager.events(id, &world.ada(), Seq(0), 500).await;
    let kinds = read.unwrap().envelopes.into_iter();
    let unreadable = |body: StoredEventBody| {
        matches!(body, StoredEventBody::Known(EventBody::Unreadable { .. }))
    };
    assert!(kinds.map(|envelope| envelope.body).all(unreadable));
    world.does(id, Command::Recover, at(30)).await.unwrap();
    break_all().await;
    // The first write finds an entry at its place.
    let state = world.manager.state(id, &world.ada()).await.unwrap();
    world.does(id, CANCEL, at(31)).await.unwrap();
    break_all().await;
    let deleted = world
        .manager
        .commit_on(state, &Command::Delete, at(32))
        .await;
    assert!(deleted.unwrap().state.is_deleted());
    break_all().await;
    let now = at(32 + DELAY);
    let purged = world.manager.purge(id, now, soon()).await.unwrap();
    assert_eq!(purged, Purged::Done);
    // The last entry, and the summary until the second purge.
    assert_eq!(world.sort_keys(id).await.len(), 2);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn items_without_a_log_are_purged_completely() {
    let world = World::new().await;
    let state = world.queued(Mode::PlanningControl).await;
    let (id, run) = (state.session_id, run_of(&state).id);
    world.does(id, Command::Delete, at(0)).await.unwrap();
    for sk in world.sort_keys(id).await {
        if sk.starts_with("LOG#") {
            let key = |text: &str| AttributeValue::S(text.into());
            let delete = world.client.delete_item().table_name(&world.table);
            let delete = delete.key("PK", key(&format!("SESSION#{id}")));
            delete.key("SK", key(&sk)).send().await.unwrap();
        }
    }
    assert_eq!(due(&world, DELAY).await, [id]);
    let purged = world.manager.purge(id, at(DELAY), soon()).await.unwrap();
    assert_eq!(purged, Purged::Done);
    assert_eq!(world.sort_keys(id).await, [""; 0]);
    assert_eq!(world.locators(&[run]).await, 0);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn an_interrupted_purge_leaves_no_locator_of_a_run_behind() {
    let world = World::new().await;
    let mut state = world.queued(Mode::PlanningControl).await;
    let (id, ada) = (state.session_id, world.ada());
    let mut runs = vec![run_of(&state).id];
    // More runs than a batch has items.
    for _ in 0..30 {
        world.does(id, CANCEL, at(1)).await.unwrap();
        let next = new_run();
        let started = world.start_run(id, &ada, &next, None, at(2));
        state = started.await.unwrap().state;
        runs.push(run_of(&state).id);
    }
    assert_eq!(world.locators(&runs).await, runs.len());
    world.does(id, Command::Delete, at(3)).await.unwrap();
    let mut slices = 0;
    while world
        .manager
        .purge(id, at(3 + DELAY), Instant::now())
        .await
        .unwrap()
        == Purged::More
    {
        let rows = world.sort_keys(id).await;
        let rows = rows.iter().filter(|sk| sk.starts_with("RUN#")).count();
        assert_eq!(
            world.locators(&runs).await,
            rows,
            "rows and locators go together"
        );
        slices += 1;
    }
    assert!(slices > 1, "{slices}");
    assert_eq!(world.locators(&runs).await, 0);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_purge_leaves_the_last_entry_and_comes_again_a_day_later() {
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
        .connect(&follower, &world.owner, "task", None, at(2))
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
    assert_eq!(world.sort_keys(id).await, [last.as_str(), "SUMMARY"]);
    assert!(world.item(id, &last).await.unwrap().contains_key("ttl"));
    assert_eq!(deleted.envelopes[0].seq.unwrap(), asleep.last_seq.plus(1));
    assert_eq!(due(&world, 3 + 2 * DELAY).await, []);
    assert_eq!(due(&world, 2 + DAY).await, []);
    assert_eq!(due(&world, 3 + DAY).await, [id]);

    // A writer with an old state conflicts with the remaining entry. A second purge finds nothing
    // to do.
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
    assert_eq!(due(&world, 2 + DAY).await, []);
    // The purge of the next day is the last one.
    let purge = || world.manager.purge(id, at(3 + DAY), soon());
    assert_eq!(purge().await.unwrap(), Purged::Done);
    assert_eq!(world.sort_keys(id).await, [last.as_str()]);
    assert_eq!(due(&world, 9 * DAY).await, []);
    // A late message of the first one brings no item back.
    let late = world.manager.purge(id, at(3 + DELAY), soon()).await;
    assert_eq!(late.unwrap(), Purged::Done);
    assert_eq!(world.sort_keys(id).await, [last]);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_purge_past_its_deadline_makes_progress_and_stays_due() {
    let world = World::new().await;
    let id = world.queued(Mode::PlanningControl).await.session_id;
    world.does(id, Command::Delete, at(0)).await.unwrap();
    let before = world.sort_keys(id).await.len();
    let purge = || world.manager.purge(id, at(DELAY), Instant::now());
    assert_eq!(purge().await.unwrap(), Purged::More);
    assert!(world.sort_keys(id).await.len() < before);
    assert_eq!(due(&world, DELAY).await, [id], "the rest stays due");
    assert_eq!(purge().await.unwrap(), Purged::Done);
    assert_eq!(due(&world, DELAY).await, []);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_session_that_is_not_deleted_is_never_purged() {
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
