//! Connections: each follows at most one session, also with concurrent frames.

use futures::future::join_all;
use session::{Command, Mode, Seq, SessionId};
use session_manager::{ConnectionId, Follower, ReplayEnd, ReplayId};
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
        let followed = manager.follow_behind(&id, session, None, replay, at(second));
        assert!(followed.await.unwrap());
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
