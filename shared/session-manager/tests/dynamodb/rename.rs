//! Renaming: what it writes, whom it refuses, and that it undoes no commit.

use futures::future::join_all;
use session::{Command, Mode, Refusal, SessionStatus};
use session_manager::{ChangeError, Filter};

use crate::world::{SUSPEND, World, at, resume};

fn named(name: &str) -> Option<String> {
    Some(name.into())
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_rename_is_one_read_and_one_write_and_moves_no_time() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let (id, ada) = (state.session_id, world.ada());
    let before = world.item(id, "SUMMARY").await.unwrap();
    world.proxy.seen();
    let renamed = world.manager.rename(id, &ada, named("Tides")).await;
    assert_eq!(world.proxy.seen(), ["Query", "UpdateItem"]);
    let renamed = renamed.unwrap();
    assert_eq!(renamed.name, "Tides");

    let mut after = world.item(id, "SUMMARY").await.unwrap();
    assert_eq!(after["name"].as_s().unwrap(), "Tides");
    after.insert("name".into(), before["name"].clone());
    assert_eq!(after, before, "the name alone is written");
    let list = world.manager.list(&world.owner, Filter::default(), 1, None);
    assert_eq!(list.await.unwrap().sessions, std::slice::from_ref(&renamed));
    assert_eq!(world.manager.session(id, &ada).await.unwrap().name, "Tides");

    let kept = world.manager.rename(id, &ada, None).await.unwrap();
    assert_eq!(kept, renamed);
    assert_eq!(world.assert_whole(id).await, state.last_seq.0);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_deleted_session_and_that_of_another_owner_keep_their_names() {
    let world = World::new().await;
    let state = world.session(Mode::Copilot).await;
    let id = state.session_id;
    let is_missing = |result| {
        matches!(
            result,
            Err(ChangeError::Refused(Refusal::NoSuchSession, None))
        )
    };
    for name in [named("Mine"), None] {
        let result = world.manager.rename(id, &world.bob(), name).await;
        assert!(is_missing(result));
    }
    let summary = world.item(id, "SUMMARY").await.unwrap();
    assert_eq!(summary["name"].as_s().unwrap(), "a session");

    world.does(id, Command::Delete, at(1)).await.unwrap();
    let deleted = world.item(id, "SUMMARY").await;
    for name in [named("Back"), None] {
        let result = world.manager.rename(id, &world.ada(), name).await;
        assert!(is_missing(result));
    }
    assert_eq!(world.item(id, "SUMMARY").await, deleted);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_rename_during_a_delete_leaves_no_name_behind() {
    let world = World::new().await;
    for _ in 0..20 {
        let id = world.session(Mode::Copilot).await.session_id;
        let ada = world.ada();
        let (renamed, deleted) = tokio::join!(
            world.manager.rename(id, &ada, named("Late")),
            world.does(id, Command::Delete, at(1)),
        );
        deleted.unwrap();
        if let Err(error) = renamed {
            assert_eq!(error.refusal(), Some(&Refusal::NoSuchSession));
        }
        let summary = world.item(id, "SUMMARY").await.unwrap();
        assert!(!summary.contains_key("name"), "{summary:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn renames_and_changes_of_status_at_the_same_time_lose_nothing() {
    let world = World::new().await;
    let id = world.session(Mode::Copilot).await.session_id;
    let ada = world.ada();
    let renames = async {
        let each = (0..20).map(|n| world.manager.rename(id, &ada, Some(format!("name {n}"))));
        join_all(each).await
    };
    let changes = async {
        for second in 1..=21 {
            let command = if second % 2 == 1 { SUSPEND } else { resume() };
            world.does(id, command, at(second)).await.unwrap();
        }
    };
    let (renamed, ()) = tokio::join!(renames, changes);
    let names: Vec<String> = renamed
        .into_iter()
        .map(|summary| summary.unwrap().name)
        .collect();

    let list = world.manager.list(&world.owner, Filter::default(), 2, None);
    let list = list.await.unwrap().sessions;
    assert_eq!(list.len(), 1);
    assert_eq!(
        (list[0].status, list[0].updated_at),
        (SessionStatus::Suspended, at(21))
    );
    assert!(names.contains(&list[0].name), "{}", list[0].name);
    let last = world.manager.rename(id, &ada, named("The last")).await;
    assert_eq!(last.unwrap().name, "The last");
}
