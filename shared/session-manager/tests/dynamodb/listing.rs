//! Lists: paging with every filter while sessions change.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use session::{Command, Mode, Next, OwnerId, Position, RunStatus, SessionId, SessionStatus, State};
use session_manager::{Filter, ReadError, SessionSummary};

use crate::world::{CANCEL, SUSPEND, World, at, commit, finish, note, resume, rows, step};

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

/// The step, the progress and the status of the last run in every list that shows the session.
async fn listed(world: &World, state: &State) -> (Option<u32>, Option<u8>, Option<RunStatus>) {
    let seen = FILTERS.map(|wanted| async move {
        let wanted = Filter {
            status: wanted.status.map(|_| state.status),
            mode: wanted.mode.map(|_| state.mode),
        };
        let all = walk(world, wanted, 20, async |_| ()).await;
        let found = all
            .iter()
            .find(|shown| shown.session_id == state.session_id);
        let shown = found.unwrap();
        (shown.current_step, shown.progress, shown.last_run_status)
    });
    let seen = futures::future::join_all(seen).await;
    assert!(seen.iter().all(|shown| *shown == seen[0]), "{seen:?}");
    seen[0]
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_list_tells_the_progress_and_the_end_of_the_last_run() {
    let world = World::new().await;
    let state = world.session(Mode::PlanningControl).await;
    assert_eq!(listed(&world, &state).await, (None, None, None));

    let state = world.running(Mode::PlanningControl).await;
    let running = Some(RunStatus::Running);
    assert_eq!(listed(&world, &state).await, (Some(1), Some(0), running));
    let does = async |state: State, command: Command, second| {
        let done = world.manager.commit_on(state, &command, at(second)).await;
        done.unwrap().state
    };
    let next = commit(&state, "one", Next::Advance(step(4)));
    let state = does(state, next, 2).await;
    assert_eq!(listed(&world, &state).await, (Some(4), Some(33), running));

    let paused = does(state, SUSPEND, 3).await;
    let shown = (Some(4), Some(33), Some(RunStatus::Paused));
    assert_eq!(listed(&world, &paused).await, shown);
    let cancelled = does(paused.clone(), CANCEL, 4).await;
    let shown = (Some(4), Some(33), Some(RunStatus::Cancelled));
    assert_eq!(listed(&world, &cancelled).await, shown);

    let state = world.running(Mode::PlanningControl).await;
    let end = finish(&state);
    let state = does(state, end, 2).await;
    let shown = (None, Some(100), Some(RunStatus::Completed));
    assert_eq!(listed(&world, &state).await, shown);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn progress_alone_writes_no_summary() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    world.proxy.seen();
    let mut work = note(&state, "a thought");
    if let Command::Commit { progress, .. } = &mut work
        && let Next::Advance(opening) = &mut progress.next
    {
        opening.position = Position {
            step: 5,
            ..opening.position
        };
    }
    let done = world.manager.commit_on(state, &work, at(2)).await.unwrap();
    assert_eq!(world.proxy.seen(), ["PutItem"]);
    let run = done.state.run.as_ref().unwrap();
    assert_eq!(run.progress(), Some(44));
    let running = Some(RunStatus::Running);
    assert_eq!(
        listed(&world, &done.state).await,
        (Some(1), Some(0), running)
    );
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
