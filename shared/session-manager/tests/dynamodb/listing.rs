//! Lists: paging with every filter while sessions change.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use session::{Mode, OwnerId, SessionId, SessionStatus};
use session_manager::{Filter, ReadError, SessionSummary};

use crate::world::{SUSPEND, World, at, resume, rows};

const MODES: [Mode; 2] = [Mode::Copilot, Mode::PlanningControl];

const fn filter(status: Option<SessionStatus>, mode: Option<Mode>) -> Filter {
    Filter { status, mode }
}

const FILTERS: [Filter; 4] = [
    filter(None, None),
    filter(Some(SessionStatus::Active), None),
    filter(None, Some(Mode::Copilot)),
    filter(Some(SessionStatus::Active), Some(Mode::Copilot)),
];

/// 200 sessions of two modes, one per second. Every fifth is suspended at once.
async fn two_hundred(world: &World) -> HashMap<SessionId, (Mode, SessionStatus)> {
    let creates = stream::iter(0..200).map(|n| async move {
        let mode = MODES[n % 2];
        let new = world.new_session(mode, None);
        let now = at(n as u64);
        world.manager.create(&new, &rows(), None, now).await?;
        if n % 5 == 0 {
            world.does(new.id, SUSPEND, now).await?;
            return Ok((new.id, (mode, SessionStatus::Suspended)));
        }
        Ok::<_, session_manager::ChangeError>((new.id, (mode, SessionStatus::Active)))
    });
    creates.buffer_unordered(8).try_collect().await.unwrap()
}

/// Reads all pages of a list and calls `between` after each page.
async fn walk(
    world: &World,
    filter: Filter,
    limit: usize,
    mut between: impl AsyncFnMut(usize),
) -> Vec<SessionSummary> {
    let (mut all, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let page = world
            .manager
            .list(&world.owner, filter, limit, cursor.as_deref())
            .await
            .unwrap();
        assert!(page.sessions.len() <= limit);
        all.extend(page.sessions);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return all;
        }
        between(pages).await;
        pages += 1;
    }
}

fn fits(filter: Filter, mode: Mode, status: SessionStatus) -> bool {
    filter.mode.is_none_or(|wanted| wanted == mode)
        && filter.status.is_none_or(|wanted| wanted == status)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn two_hundred_sessions_are_listed_once_with_every_filter() {
    let world = World::new().await;
    let made = two_hundred(&world).await;
    for wanted in FILTERS {
        for limit in [7, 50, 200] {
            let all = walk(&world, wanted, limit, async |_| ()).await;
            let ids: HashSet<_> = all.iter().map(|session| session.session_id).collect();
            let expected: HashSet<_> = made
                .iter()
                .filter(|(_, (mode, status))| fits(wanted, *mode, *status))
                .map(|(id, _)| *id)
                .collect();
            assert_eq!(
                (ids, all.len()),
                (expected.clone(), expected.len()),
                "{wanted:?} {limit}"
            );
            assert!(
                all.is_sorted_by(|a, b| a.updated_at >= b.updated_at),
                "newest first"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn unchanged_sessions_are_listed_once_while_others_move() {
    let world = World::new().await;
    let made = two_hundred(&world).await;
    let mut restless: Vec<_> = made
        .iter()
        .map(|(id, (_, status))| (*id, *status))
        .collect();
    restless.sort_by_key(|(id, _)| *id);
    restless.truncate(60);
    let moving: HashSet<_> = restless.iter().map(|(id, _)| *id).collect();
    let mut second = 1000;
    for wanted in FILTERS {
        let all = walk(&world, wanted, 11, async |page| {
            // Five sessions change their status between two pages.
            for n in 0..5 {
                let (id, status) = &mut restless[(page * 5 + n) % 60];
                let (command, next) = match status {
                    SessionStatus::Active => (SUSPEND, SessionStatus::Suspended),
                    _ => (resume(), SessionStatus::Active),
                };
                second += 1;
                world.does(*id, command, at(second)).await.unwrap();
                *status = next;
            }
        })
        .await;
        let stayed: Vec<_> = all
            .iter()
            .map(|session| session.session_id)
            .filter(|id| !moving.contains(id))
            .collect();
        let expected: HashSet<_> = made
            .iter()
            .filter(|(id, (mode, status))| !moving.contains(id) && fits(wanted, *mode, *status))
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(stayed.len(), expected.len(), "{wanted:?}");
        assert_eq!(
            stayed.into_iter().collect::<HashSet<_>>(),
            expected,
            "{wanted:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_status_filter_needs_one_query_and_other_lists_four() {
    let world = World::new().await;
    world.session(Mode::Copilot).await;
    world.proxy.seen();
    for (wanted, queries) in FILTERS.into_iter().zip([4, 1, 4, 1]) {
        world
            .manager
            .list(&world.owner, wanted, 20, None)
            .await
            .unwrap();
        assert_eq!(world.proxy.seen(), vec!["Query"; queries], "{wanted:?}");
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_cursor_is_bound_to_its_filter_and_owner() {
    let world = World::new().await;
    for _ in 0..3 {
        world.session(Mode::Copilot).await;
    }
    let page = world
        .manager
        .list(&world.owner, Filter::default(), 2, None)
        .await
        .unwrap();
    let cursor = page.next_cursor.unwrap();
    for other in &FILTERS[1..] {
        let refused = world
            .manager
            .list(&world.owner, *other, 2, Some(&cursor))
            .await;
        assert!(matches!(refused, Err(ReadError::BadCursor)));
    }
    for bad in ["", "nonsense", "%%", &cursor[1..]] {
        let refused = world
            .manager
            .list(&world.owner, Filter::default(), 2, Some(bad))
            .await;
        assert!(matches!(refused, Err(ReadError::BadCursor)), "{bad}");
    }
    let bob = OwnerId::of("tests", "bob");
    let foreign = world
        .manager
        .list(&bob, Filter::default(), 2, Some(&cursor))
        .await
        .unwrap();
    assert!(foreign.sessions.is_empty() && foreign.next_cursor.is_none());
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn sessions_of_the_same_time_are_ordered_by_id() {
    let world = World::new().await;
    for _ in 0..9 {
        world.session(Mode::Copilot).await;
    }
    for wanted in FILTERS {
        let all = walk(&world, wanted, 2, async |_| ()).await;
        let ids: HashSet<_> = all.iter().map(|session| session.session_id).collect();
        assert_eq!((all.len(), ids.len()), (9, 9));
    }
}
