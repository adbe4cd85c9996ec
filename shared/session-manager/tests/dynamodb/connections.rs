//! Connections: each follows at most one session, also with concurrent frames.

use futures::future::join_all;
use session::{Command, Mode, Seq, SessionId};
use session_manager::{ConnectionId, Followed, Follower, ReplayEnd, ReplayId};
use uuid::Uuid;

use crate::world::{World, at, run_of};

const LIFE: u64 = 150 * 60;

/// The connections that get live events of a session at this second.
async fn live(world: &World, session: SessionId, second: u64) -> Vec<ConnectionId> {
    let followers = world.manager.followers(session, at(second)).await.unwrap();
    followers
        .into_iter()
        .map(|follower| follower.connection)
        .collect()
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_connection_is_stored_until_it_expires() {
    let world = World::new().await;
    let id = ConnectionId::new("abc=");
    assert_eq!(world.manager.connection(&id, at(0)).await.unwrap(), None);
    world
        .manager
        .connect(&id, &world.owner, "my task", None, at(0))
        .await
        .unwrap();
    let found = world
        .manager
        .connection(&id, at(LIFE - 1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (&found.owner, found.task_id.as_str()),
        (&world.owner, "my task")
    );
    assert_eq!((found.session_id, found.run_id), (None, None));
    assert_eq!(world.manager.connection(&id, at(LIFE)).await.unwrap(), None);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_connection_expires_with_its_token_and_then_follows_nothing() {
    let world = World::new().await;
    let session = world.session(Mode::OneShot).await.session_id;
    let manager = &world.manager;
    for (name, token_ends, end) in [("short", 60, 60), ("long", 2 * LIFE, LIFE)] {
        let id = ConnectionId::new(name);
        let ends = Some(at(token_ends));
        manager
            .connect(&id, &world.owner, "task", ends, at(0))
            .await
            .unwrap();
        assert!(manager.follow(&id, session, None, at(0)).await.unwrap());
        let before = manager.connection(&id, at(end - 1)).await.unwrap();
        assert!(before.is_some(), "{name}");
        assert_eq!(manager.connection(&id, at(end)).await.unwrap(), None);
    }
    let left = live(&world, session, 60).await;
    assert_eq!(left, [ConnectionId::new("long")]);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn following_another_session_leaves_the_first() {
    let world = World::new().await;
    let one = world.queued(Mode::OneShot).await;
    let two = world.session(Mode::OneShot).await;
    let id = ConnectionId::new("abc=");
    let manager = &world.manager;
    manager
        .connect(&id, &world.owner, "task", None, at(0))
        .await
        .unwrap();
    assert!(
        manager
            .follow(&id, one.session_id, Some(run_of(&one).id), at(0))
            .await
            .unwrap()
    );
    assert_eq!(
        live(&world, one.session_id, 0).await,
        std::slice::from_ref(&id)
    );
    let found = manager.connection(&id, at(0)).await.unwrap().unwrap();
    assert_eq!(found.run_id, Some(run_of(&one).id));

    assert!(
        manager
            .follow(&id, two.session_id, None, at(0))
            .await
            .unwrap()
    );
    assert_eq!(live(&world, one.session_id, 0).await, []);
    assert_eq!(
        live(&world, two.session_id, 0).await,
        std::slice::from_ref(&id)
    );
    let found = manager.connection(&id, at(0)).await.unwrap().unwrap();
    assert_eq!(
        (found.session_id, found.run_id),
        (Some(two.session_id), None)
    );
    assert_eq!(live(&world, two.session_id, LIFE).await, []);

    manager.disconnect(&id).await.unwrap();
    assert_eq!(live(&world, two.session_id, 0).await, []);
    assert_eq!(manager.connection(&id, at(0)).await.unwrap(), None);
    manager.disconnect(&id).await.unwrap();
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_closed_connection_follows_nothing_and_leaves_no_items() {
    let world = World::new().await;
    let session = world.session(Mode::OneShot).await.session_id;
    let id = ConnectionId::new("abc=");
    assert!(
        !world
            .manager
            .follow(&id, session, None, at(0))
            .await
            .unwrap()
    );
    assert_eq!(live(&world, session, 0).await, []);
    assert!(world.partition("CONNECTION#abc=").await.is_empty());

    world
        .manager
        .connect(&id, &world.owner, "task", None, at(0))
        .await
        .unwrap();
    world
        .manager
        .follow(&id, session, None, at(0))
        .await
        .unwrap();
    world.manager.forget_follower(session, &id).await.unwrap();
    assert_eq!(live(&world, session, 0).await, []);
    assert!(world.partition("CONNECTION#abc=").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn concurrent_frames_leave_a_connection_following_one_session() {
    let world = World::new().await;
    let sessions = join_all((0..3).map(|_| world.session(Mode::OneShot))).await;
    let id = ConnectionId::new("abc=");
    world
        .manager
        .connect(&id, &world.owner, "task", None, at(0))
        .await
        .unwrap();
    let follows = (0..4)
        .flat_map(|_| &sessions)
        .map(|state| world.manager.follow(&id, state.session_id, None, at(0)));
    assert!(
        join_all(follows)
            .await
            .into_iter()
            .all(|followed| followed.unwrap())
    );
    let followed = world
        .manager
        .connection(&id, at(0))
        .await
        .unwrap()
        .unwrap()
        .session_id
        .unwrap();
    for state in sessions {
        let followers = live(&world, state.session_id, 0).await;
        assert_eq!(followers.len(), usize::from(state.session_id == followed));
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn live_events_wait_until_the_replay_is_at_the_end_of_the_record() {
    let world = World::new().await;
    let session = world.session(Mode::OneShot).await.session_id;
    let manager = &world.manager;
    let id = ConnectionId::new("abc=");
    manager
        .connect(&id, &world.owner, "task", None, at(0))
        .await
        .unwrap();
    let [first, second, third] = [1, 2, 3].map(|n| ReplayId::new(Uuid::from_u128(n)));
    let behind = async |replay, second| {
        let new = (replay, Seq(0));
        let followed = manager.follow_behind(&id, session, None, new, at(second));
        assert_eq!(followed.await.unwrap(), Followed::Behind);
    };
    behind(first, 0).await;
    assert_eq!(live(&world, session, 0).await, []);

    // An event came while the first one was sent.
    let suspend = Command::Suspend { run: None };
    manager
        .change(session, &world.ada(), &suspend, at(1))
        .await
        .unwrap();
    let end = async |replay, reached| {
        let ended = manager.end_replay(&id, session, replay, Seq(reached));
        ended.await.unwrap()
    };
    assert_eq!(end(first, 1).await, ReplayEnd::More);
    assert_eq!(live(&world, session, 1).await, []);
    assert_eq!(end(first, 2).await, ReplayEnd::Live);
    let follower = Follower {
        connection: id.clone(),
        after: Seq(2),
    };
    let followers = manager.followers(session, at(1)).await.unwrap();
    assert_eq!(followers, [follower]);

    // A later replay takes the place of an earlier one, whose end then changes nothing.
    behind(first, 2).await;
    behind(second, 2).await;
    assert_eq!(end(first, 2).await, ReplayEnd::Replaced);
    let claim = async |replay, next, second| {
        let claimed = manager.claim_replay(&id, session, replay, next, at(second));
        claimed.await.unwrap()
    };
    assert!(!claim(first, third, 2).await);
    manager
        .abandon_replay(&id, session, first, Seq(2))
        .await
        .unwrap();
    assert_eq!(live(&world, session, 2).await, []);
    // A replay that no function ends is over with its time. One function at most continues it.
    assert_eq!(live(&world, session, 62).await, std::slice::from_ref(&id));
    assert!(claim(second, third, 50).await);
    assert!(!claim(second, first, 50).await);
    assert_eq!(live(&world, session, 62).await, []);
    assert!(!claim(third, first, 110).await, "its time is up");
    manager
        .abandon_replay(&id, session, third, Seq(1))
        .await
        .unwrap();
    let followers = manager.followers(session, at(62)).await.unwrap();
    assert_eq!(followers[0].after, Seq(1));
}

/// A connection that asks for replays, each under a new id.
struct Asking<'a> {
    world: &'a World,
    id: ConnectionId,
}

impl<'a> Asking<'a> {
    async fn new(world: &'a World) -> Self {
        let id = ConnectionId::new(Uuid::now_v7().to_string());
        let connected = world
            .manager
            .connect(&id, &world.owner, "task", None, at(0));
        connected.await.unwrap();
        Self { world, id }
    }

    async fn behind(&self, session: SessionId, after: u64, second: u64) -> Option<ReplayId> {
        let replay = ReplayId::new(Uuid::now_v7());
        let new = (replay, Seq(after));
        let manager = &self.world.manager;
        let followed = manager.follow_behind(&self.id, session, None, new, at(second));
        let followed = followed.await.unwrap();
        assert_ne!(followed, Followed::Ended);
        (followed == Followed::Behind).then_some(replay)
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_replay_that_goes_forward_is_free_and_one_that_goes_back_is_taken_from_a_store() {
    let world = World::new().await;
    let (manager, asking) = (&world.manager, Asking::new(&world).await);
    let session = world.session(Mode::OneShot).await.session_id;
    // A client that asks for one part after another is never refused.
    for part in 0..30 {
        let replay = asking.behind(session, part * 500, 0).await.unwrap();
        let reached = Seq((part + 1) * 500);
        let noted = manager.note_replay(&asking.id, session, replay, reached);
        noted.await.unwrap();
    }
    // Nor one that has missed an event behind those, however its replay has ended.
    let last = asking.behind(session, 15_000, 0).await.unwrap();
    let abandoned = manager.abandon_replay(&asking.id, session, last, Seq(15_001));
    abandoned.await.unwrap();
    let last = asking.behind(session, 15_001, 0).await.unwrap();

    // Ten go back while that one goes on, or to another session.
    let other = world.session(Mode::OneShot).await.session_id;
    for n in 0..5 {
        assert!(asking.behind(other, 0, 0).await.is_some(), "{n}");
        assert!(asking.behind(session, 15_001, 0).await.is_some(), "{n}");
    }
    let goes_on = async |replay| {
        let goes_on = manager.replay_goes_on(&asking.id, session, replay);
        goes_on.await.unwrap()
    };
    assert!(!goes_on(last).await);
    // The eleventh changes nothing. A second later there is one again.
    let (newest, later) = (asking.behind(session, 0, 1).await.unwrap(), 1);
    assert!(asking.behind(session, 0, later).await.is_none());
    assert!(asking.behind(other, 0, later).await.is_none());
    assert!(goes_on(newest).await);
    assert!(asking.behind(session, 0, 2).await.is_some());
    assert!(asking.behind(session, 0, 2).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn fifty_replays_at_once_leave_one_and_take_no_more_than_the_store_holds() {
    let world = World::new().await;
    let asking = Asking::new(&world).await;
    let session = world.session(Mode::OneShot).await.session_id;
    let burst = join_all((0..50).map(|_| async {
        let new = (ReplayId::new(Uuid::now_v7()), Seq(0));
        let manager = &world.manager;
        let followed = manager.follow_behind(&asking.id, session, None, new, at(0));
        // Some give up in the crowd.
        (followed.await.ok() == Some(Followed::Behind)).then_some(new.0)
    }));
    let begun: Vec<_> = burst.await.into_iter().flatten().collect();
    // One without a place before it, and ten that go back.
    assert!((1..=11).contains(&begun.len()), "{}", begun.len());
    let goes_on = begun.iter().map(|replay| {
        let manager = &world.manager;
        manager.replay_goes_on(&asking.id, session, *replay)
    });
    let goes_on = join_all(goes_on).await.into_iter().map(Result::unwrap);
    assert_eq!(goes_on.filter(|own| *own).count(), 1);
}
