//! Reading a session: its record, its conversation, its summary, its runs.

use aws_sdk_dynamodb::types::AttributeValue;
use session::{
    Command, EventBody, Message, Mode, Next, PlanStep, RunFailure, RunStatus, Seq, SessionId, State,
};
use session_manager::{Actor, ReadError};

use crate::world::{
    CANCEL, World, at, commit, finish, new_run, note, run_of, said, step, take_lease,
};

/// A session whose worker has written messages, `each` per commit.
async fn talkative(world: &World, commits: usize, each: usize, bytes: usize) -> State {
    let mut state = world.running(Mode::PlanningControl).await;
    for n in 0..commits {
        let mut command = note(&state, "");
        if let Command::Commit { progress, .. } = &mut command {
            progress.work = (0..each)
                .map(|m| said(&format!("{n}/{m} {}", "x".repeat(bytes))))
                .collect();
        }
        state = world
            .manager
            .commit_on(state, &command, at(2))
            .await
            .unwrap()
            .state;
    }
    state
}

fn seqs(envelopes: &[session::Envelope]) -> Vec<u64> {
    envelopes
        .iter()
        .map(|envelope| envelope.seq.unwrap().0)
        .collect()
}

async fn walk(world: &World, id: SessionId, limit: usize) -> Vec<u64> {
    let (mut all, mut after) = (Vec::new(), Some(Seq(0)));
    while let Some(from) = after {
        let page = world
            .manager
            .events(id, &world.ada(), from, limit)
            .await
            .unwrap();
        assert!(page.envelopes.len() <= limit && !page.envelopes.is_empty());
        all.extend(seqs(&page.envelopes));
        after = page.next_after;
    }
    all
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_page_of_the_record_can_begin_within_an_entry() {
    let world = World::new().await;
    let state = talkative(&world, 3, 32, 1).await;
    let (id, last) = (state.session_id, state.last_seq.0);
    for after in 0..=last {
        let page = world
            .manager
            .events(id, &world.ada(), Seq(after), 500)
            .await
            .unwrap();
        assert_eq!(
            seqs(&page.envelopes),
            (after + 1..=last).collect::<Vec<_>>()
        );
        assert_eq!((page.last_seq.0, page.next_after), (last, None));
    }
    for limit in [1, 2, 31, 32, 33, 500] {
        assert_eq!(
            walk(&world, id, limit).await,
            (1..=last).collect::<Vec<_>>(),
            "{limit}"
        );
    }
    let behind = world
        .manager
        .events(id, &world.ada(), Seq(last + 7), 9)
        .await
        .unwrap();
    assert!(behind.envelopes.is_empty() && behind.next_after.is_none());
    assert_eq!(behind.last_seq.0, last);
    let far = world
        .manager
        .events(id, &world.ada(), Seq(u64::MAX), 9)
        .await
        .unwrap();
    assert!(far.envelopes.is_empty());
    assert!(behind.cursor_ahead && far.cursor_ahead);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_page_stops_at_one_mebibyte_and_all_pages_are_the_record() {
    let world = World::new().await;
    // 60 entries of 30 KB: almost two pages of a query.
    let state = talkative(&world, 60, 1, 30_000).await;
    let (id, last) = (state.session_id, state.last_seq.0);
    let page = world
        .manager
        .events(id, &world.ada(), Seq(0), 500)
        .await
        .unwrap();
    let bytes = serde_json::to_string(&page.envelopes).unwrap().len();
    assert!((900_000..1_100_000).contains(&bytes), "{bytes}");
    assert_eq!(page.next_after, page.envelopes.last().unwrap().seq);
    assert_eq!(walk(&world, id, 500).await, (1..=last).collect::<Vec<_>>());

    let record = world
        .manager
        .record(id, Seq(2), Seq(last - 1))
        .await
        .unwrap();
    assert_eq!(seqs(&record), (2..last).collect::<Vec<_>>());
    assert!(
        world
            .manager
            .record(id, Seq(5), Seq(4))
            .await
            .unwrap()
            .is_empty()
    );

    let history = world
        .manager
        .history(id, &world.ada(), 1000, None)
        .await
        .unwrap();
    assert_eq!(history.total, 61);
    let older = world
        .manager
        .history(id, &world.ada(), 1000, history.next_before)
        .await
        .unwrap();
    assert_eq!(older.messages.len() + history.messages.len(), 61);
    assert_eq!(older.next_before, None);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn the_conversation_pages_backwards_in_chronological_pages() {
    let world = World::new().await;
    let state = talkative(&world, 5, 5, 1).await;
    let id = state.session_id;
    let whole = world
        .manager
        .history(id, &world.ada(), 100, None)
        .await
        .unwrap();
    assert_eq!(
        (whole.messages.len(), whole.total, whole.next_before),
        (26, 26, None)
    );
    assert!(whole.messages.is_sorted_by_key(|message| message.seq));
    for limit in [1, 2, 5, 7, 25, 26] {
        let (mut all, mut before): (Vec<Message>, _) = (Vec::new(), None);
        loop {
            let page = world
                .manager
                .history(id, &world.ada(), limit, before)
                .await
                .unwrap();
            all.splice(0..0, page.messages);
            before = page.next_before;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(all, whole.messages, "{limit}");
    }
    let first = world
        .manager
        .history(id, &world.ada(), 9, Some(Seq(1)))
        .await
        .unwrap();
    assert!(first.messages.is_empty() && first.next_before.is_none());
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn the_detail_of_a_session_shows_its_plan_and_its_error() {
    let world = World::new().await;
    let mut state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    let steps = vec![PlanStep {
        sub_task: "look".into(),
        sub_task_agent: "researcher".into(),
        bullet_points: vec!["closely".into()],
    }];
    let mut planned = commit(&state, "a plan", Next::Advance(step(1)));
    if let Command::Commit { progress, .. } = &mut planned {
        progress.work.push(EventBody::PlanningComplete {
            num_steps: 1,
            steps: steps.clone(),
        });
    }
    state = world
        .manager
        .commit_on(state, &planned, at(2))
        .await
        .unwrap()
        .state;
    let detail = world.manager.session(id, &world.ada()).await.unwrap();
    assert_eq!((detail.plan, detail.error), (Some(steps.clone()), None));
    assert_eq!(
        (detail.name.as_str(), detail.config.as_str()),
        ("a session", r#"{"model":"small"}"#)
    );
    assert_eq!(detail.messages.len(), 2);
    assert_eq!(detail.state, state);

    let failure = RunFailure {
        error: "The model is gone.".into(),
        code: "model_failed".into(),
        error_type: "ModelError".into(),
    };
    let failed = commit(&state, "oh", Next::Fail(failure));
    world
        .manager
        .commit_on(state, &failed, at(3))
        .await
        .unwrap();
    let detail = world.manager.session(id, &world.ada()).await.unwrap();
    assert_eq!(detail.plan, Some(steps));
    assert_eq!(detail.error.as_deref(), Some("The model is gone."));
    let foreign = world.manager.session(id, &world.bob()).await;
    assert!(matches!(foreign, Err(ReadError::NoSuchSession)));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn runs_are_newest_first_and_the_unfinished_one_has_its_status() {
    let world = World::new().await;
    let id = world.session(Mode::PlanningControl).await.session_id;
    let mut ids = Vec::new();
    for n in 1..=5 {
        let run = new_run();
        ids.insert(0, run.id);
        let started = world.start_run(id, &world.ada(), &run, None, at(n)).await;
        if n < 5 {
            world.does(id, CANCEL, at(n)).await.unwrap();
        } else {
            let state = started.unwrap().state;
            let lease = take_lease(&state, at(100));
            world.manager.commit_on(state, &lease, at(6)).await.unwrap();
        }
    }
    let all = world
        .manager
        .runs(id, &world.ada(), 50, None)
        .await
        .unwrap();
    assert_eq!(all.runs.iter().map(|run| run.id).collect::<Vec<_>>(), ids);
    assert_eq!((all.total, all.next_cursor), (5, None));
    assert_eq!(all.runs[0].status, RunStatus::Running);
    assert_eq!(all.runs[0].started_at, Some(at(6)));
    assert_eq!(all.runs[1].status, RunStatus::Cancelled);
    assert_eq!(all.runs[1].completed_at, Some(at(4)));
    for limit in 1..=5 {
        let (mut walked, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = world
                .manager
                .runs(id, &world.ada(), limit, cursor.as_deref())
                .await
                .unwrap();
            walked.extend(page.runs);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(walked, all.runs);
    }
    let bad = world
        .manager
        .runs(id, &world.ada(), 5, Some("nonsense"))
        .await;
    assert!(matches!(bad, Err(ReadError::BadCursor)));
    assert_eq!(world.manager.run(id, new_run().id).await.unwrap(), None);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_page_of_runs_stops_at_one_mebibyte() {
    let world = World::new().await;
    let state = world.queued(Mode::OneShot).await;
    let id = state.session_id;
    let sk = format!("RUN#{}", run_of(&state).id);
    let row = world.item(id, &sk).await.unwrap();
    for _ in 0..150 {
        let run = new_run().id.to_string();
        let mut item = row.clone();
        for (name, value) in [
            ("SK", format!("RUN#{run}")),
            ("id", run),
            ("task_description", "𒀀".repeat(2_000)),
        ] {
            item.insert(name.into(), AttributeValue::S(value));
        }
        let put = world.client.put_item().table_name(&world.table);
        put.set_item(Some(item)).send().await.unwrap();
    }
    let ada = world.ada();
    let page = async |cursor: Option<String>| {
        let page = world.manager.runs(id, &ada, 200, cursor.as_deref());
        page.await.unwrap()
    };
    let first = page(None).await;
    let bytes = serde_json::to_string(&first.runs).unwrap().len();
    assert!((900_000..1_100_000).contains(&bytes), "{bytes}");
    let second = page(first.next_cursor).await;
    assert_eq!(first.runs.len() + second.runs.len(), 151);
    assert_eq!(second.next_cursor, None);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_run_without_a_configuration_has_that_of_its_session() {
    let world = World::new().await;
    let state = world.queued(Mode::OneShot).await;
    let (id, run) = (state.session_id, run_of(&state).id);
    assert_eq!(
        world.manager.run_config(id, run).await.unwrap(),
        r#"{"model":"small"}"#
    );
    let nowhere = world.new_session(Mode::OneShot, None).id;
    let none = world.manager.run_config(nowhere, run).await;
    assert!(matches!(none, Err(ReadError::NoSuchSession)));
    assert!(matches!(
        world.manager.state(nowhere, &Actor::System).await,
        Err(ReadError::NoSuchSession)
    ));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn an_event_of_a_newer_version_is_returned_unchanged() {
    let world = World::new().await;
    let state = world.running(Mode::OneShot).await;
    let done = world
        .manager
        .commit_on(state.clone(), &finish(&state), at(2))
        .await
        .unwrap();
    let id = state.session_id;
    let sk = format!("LOG#{:012}", state.last_seq.0 + 1);
    let mut item = world.item(id, &sk).await.unwrap();
    let mut events: serde_json::Value =
        serde_json::from_str(item["events"].as_s().unwrap()).unwrap();
    events[0] = serde_json::json!({"event_type": "from_the_future", "data": {"deep": [[1]]}});
    item.insert("events".into(), AttributeValue::S(events.to_string()));
    let put = world
        .client
        .put_item()
        .table_name(&world.table)
        .set_item(Some(item));
    put.send().await.unwrap();
    let page = world
        .manager
        .events(id, &world.ada(), state.last_seq, 500)
        .await
        .unwrap();
    let shown = serde_json::to_value(&page.envelopes[0]).unwrap();
    assert_eq!(
        (&shown["event_type"], &shown["data"]["deep"][0][0]),
        (&"from_the_future".into(), &1.into())
    );
    assert_eq!(page.last_seq, done.state.last_seq);
}
