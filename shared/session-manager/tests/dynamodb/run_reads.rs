//! The views of a run: its events page by page, its graph, its log.

use session::{EventBody, Mode, NodeStatus, RunId, State};
use session_manager::{FoundRun, ReadError, RunEvent, RunEventFilter};

use crate::world::{World, at, finish, new_run, note, run_of, said};

async fn find(world: &World, run: RunId) -> FoundRun {
    world.manager.find_run(&world.ada(), run).await.unwrap()
}

fn only(kind: &str) -> RunEventFilter {
    RunEventFilter {
        kind: Some(kind.parse().unwrap()),
        ..RunEventFilter::default()
    }
}

/// All pages of a list, and their number.
async fn all(
    world: &World,
    run: &FoundRun,
    filter: &RunEventFilter,
    limit: usize,
) -> (Vec<RunEvent>, usize) {
    let (mut events, mut pages, mut cursor) = (Vec::new(), 0, None);
    loop {
        let read = world
            .manager
            .run_events(run, filter, limit, cursor.as_deref());
        let page = read.await.unwrap();
        assert!(page.events.len() <= limit);
        events.extend(page.events);
        pages += 1;
        cursor = page.next_cursor;
        if cursor.is_none() {
            return (events, pages);
        }
    }
}

async fn does(world: &World, state: State, more: Vec<EventBody>) -> State {
    let mut command = note(&state, "noted");
    if let session::Command::Commit { progress, .. } = &mut command {
        progress.work.extend(more);
    }
    let done = world.manager.commit_on(state, &command, at(2)).await;
    done.unwrap().state
}

/// A run with a graph and a running step, and 180 entries of 60 KB: more than 10 MiB.
async fn long_run(world: &World) -> State {
    let mut state = world.running(Mode::PlanningControl).await;
    let run_id = run_of(&state).id;
    let dag = serde_json::from_value(serde_json::json!({
        "nodes": [{
            "id": "step_1", "label": "Step 1", "type": "agent", "agent": "researcher",
            "status": "running", "step_number": 1,
        }],
        "edges": [], "levels": [["step_1"]],
    }));
    let created = EventBody::DagCreated {
        run_id,
        dag: dag.unwrap(),
    };
    state = does(world, state, vec![created]).await;
    for _ in 0..180 {
        let long = [said(&"x".repeat(30_000)), said(&"y".repeat(30_000))];
        state = does(world, state, long.into()).await;
    }
    state
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn the_pages_of_a_runs_events_are_its_whole_record() {
    let world = World::new().await;
    let mut state = world.running(Mode::PlanningControl).await;
    let (session, run) = (state.session_id, run_of(&state).id);
    for _ in 0..3 {
        state = does(&world, state, vec![said("one"), said("two")]).await;
    }
    let end = finish(&state);
    let last_seq = world
        .manager
        .commit_on(state, &end, at(3))
        .await
        .unwrap()
        .state
        .last_seq;
    world
        .start_run(session, &world.ada(), &new_run(), None, at(4))
        .await
        .unwrap();

    let run = find(&world, run).await;
    let record = world
        .manager
        .record(session, run.first_seq, last_seq)
        .await
        .unwrap();
    let ids: Vec<_> = record
        .iter()
        .map(|event| event.seq.unwrap().to_string())
        .collect();
    for limit in [1, 4, 500] {
        let (events, pages) = all(&world, &run, &RunEventFilter::default(), limit).await;
        let found: Vec<_> = events.iter().map(|event| event.id.clone()).collect();
        assert_eq!(found, ids);
        assert_eq!(pages, ids.len().div_ceil(limit));
        let said = events
            .iter()
            .filter(|event| event.event_type == "agent_message");
        assert!(
            said.clone().count() == 10
                && said
                    .clone()
                    .all(|event| event.node_id.as_deref() == Some("step_1"))
        );
    }
    assert_eq!(run.event_count(), ids.len() as u64);
    let (messages, _) = all(&world, &run, &only("agent_message"), 3).await;
    assert_eq!(messages.len(), 10);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_cursor_belongs_to_its_run_and_filter() {
    let world = World::new().await;
    let (one, two) = (
        world.running(Mode::OneShot).await,
        world.running(Mode::OneShot).await,
    );
    let one = find(&world, run_of(&one).id).await;
    let two = find(&world, run_of(&two).id).await;
    let none = RunEventFilter::default();
    let page = world
        .manager
        .run_events(&one, &none, 1, None)
        .await
        .unwrap();
    let cursor = page.next_cursor.unwrap();
    for (run, filter) in [(&two, &none), (&one, &only("status"))] {
        let read = world
            .manager
            .run_events(run, filter, 1, Some(&cursor))
            .await;
        assert!(matches!(read, Err(ReadError::BadCursor)));
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn views_of_a_long_run_read_a_bounded_part_and_say_so() {
    let world = World::new().await;
    let state = long_run(&world).await;
    let run = find(&world, run_of(&state).id).await;
    let queries = || {
        world
            .proxy
            .seen()
            .iter()
            .filter(|one| *one == "Query")
            .count()
    };

    queries();
    let none = world
        .manager
        .run_events(&run, &only("step_failed"), 100, None)
        .await
        .unwrap();
    assert_eq!((none.events.len(), queries()), (0, 4));
    assert!(none.next_cursor.is_some(), "the rest follows");
    let (none, pages) = all(&world, &run, &only("step_failed"), 100).await;
    assert!(none.is_empty() && pages > 2);
    let of_step = RunEventFilter {
        node: Some("step_1".into()),
        without_internal: true,
        ..RunEventFilter::default()
    };
    let (events, _) = all(&world, &run, &of_step, 500).await;
    assert_eq!(events.len(), 1 + 1 + 180 * 3, "the cursor keeps the node");

    queries();
    let graph = world.manager.run_graph(&run).await.unwrap();
    assert_eq!(queries(), 9);
    assert!(graph.truncated);
    assert_eq!(graph.nodes[0].status, NodeStatus::Running);

    let costs = world.manager.costs_of(&run).await.unwrap();
    assert_eq!((costs.truncated, queries()), (true, 8));

    let log = world.manager.console_log(&run, 10_000).await.unwrap();
    assert!(queries() <= 8 && log.truncated);
    assert!((log.returned_lines as u64) < log.total_lines);
    assert_eq!(log.total_lines, run.event_count());
    assert_eq!(log.content.lines().count(), log.returned_lines);
    let few = world.manager.console_log(&run, 5).await.unwrap();
    assert_eq!(
        (few.returned_lines, few.truncated, queries()),
        (5, false, 1)
    );
    assert!(log.content.ends_with(&few.content));
}
