//! A run that waits for arXiv's slot appends nothing and counts no attempt. The sweeper looks at it
//! later. A cancel ends it at once. However many runs wait, each request costs one start of a
//! worker, and the runs are served in the order in which they came.
//!
//! The executor runs in this process, so that no other worker receives the slot's message.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use document_executor::ReaderTasks;
use executor::{Deadline, Executor};
use lambda_kit::{QueueMessage, now};
use session::{
    Command, Mode, NewSession, OwnerId, RunStatus, SessionId, SessionStatus, State, Timestamp,
};
use session_manager::{Actor, NewSessionRows, Slot};
use tests::papers::{Paper, archive, asked, publish};
use tests::stack::stack;
use uuid::Uuid;
use workflow::calls_arxiv_at;

use crate::in_process::{document_executor, run, state_of, work};

/// Short, because the concurrent tests share the slot.
const TAKEN: Duration = Duration::from_secs(3);

fn owner() -> OwnerId {
    OwnerId::of("tests", "waiting")
}

/// An executor whose sweeper looks again after two seconds.
async fn impatient() -> Executor<ReaderTasks> {
    let bucket = stack().get("BUCKET_NAME");
    let settings = [("BUCKET_NAME", bucket), ("REQUEUE_SECONDS", "2")];
    document_executor(&settings).await
}

/// A session of mode arxiv with a run that has not begun.
async fn queued(executor: &Executor<ReaderTasks>, task: &str) -> State {
    let new = NewSession {
        id: SessionId::new(Uuid::now_v7()),
        owner: owner(),
        mode: Mode::Arxiv,
        run: Some(run(task)),
    };
    let rows = NewSessionRows {
        name: "waiting".into(),
        config: "{}".into(),
        run_config: None,
    };
    let sessions = &executor.sessions;
    sessions
        .create(&new, &rows, None, now())
        .await
        .unwrap()
        .state
}

/// A run whose next step is an arXiv request and which has to wait.
async fn waiting(executor: &Executor<ReaderTasks>) -> State {
    let sessions = &executor.sessions;
    let queued = queued(executor, "Read arXiv:2101.00001 and say what it says.").await;
    let state = work(executor, queued).await;
    let position = state.unfinished_run().unwrap().position;
    assert!(calls_arxiv_at(position), "{position:?}");
    let until = now().plus(TAKEN);
    for slot in ["arxiv-line", "arxiv"] {
        sessions.push_back_slot(slot, until).await.unwrap();
    }
    state
}

/// The time at which the sweeper looks at the session.
async fn due(session: SessionId) -> Timestamp {
    let request = stack().dynamodb().await.get_item();
    let item = request
        .table_name(stack().get("TABLE_NAME"))
        .key("PK", AttributeValue::S(format!("SESSION#{session}")))
        .key("SK", AttributeValue::S("SUMMARY".into()))
        .consistent_read(true);
    let item = item.send().await.unwrap().item.unwrap();
    item["due"].as_s().unwrap().parse().unwrap()
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_run_that_waits_for_its_slot_is_unchanged_and_swept_later() {
    let executor = impatient().await;
    let state = waiting(&executor).await;
    let before = due(state.session_id).await;
    for _ in 0..3 {
        let after = work(&executor, state.clone()).await;
        assert_eq!(after, state, "no event may be appended");
    }
    let later = due(state.session_id).await;
    assert!(later > before, "{later} is not behind {before}");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn waiting_runs_are_served_in_order_by_one_start_for_each_request() {
    const RUNS: usize = 6;
    archive();
    let queue = stack().new_queue().await;
    let settings = [
        ("BUCKET_NAME", stack().get("BUCKET_NAME")),
        ("DOCUMENT_QUEUE_URL", &queue),
        ("ARXIV_API_URL", "http://127.0.0.1:8078/api/query"),
        ("ARXIV_PDF_URL", "http://127.0.0.1:8078/pdf"),
        ("ARXIV_INTERVAL_MS", "1000"),
    ];
    let executor = document_executor(&settings).await;
    let (mut papers, mut sessions, mut starts) = (Vec::new(), Vec::new(), 0);
    for number in 0..RUNS {
        let paper = publish(Paper {
            title: format!("Waiting {number}"),
            pages: vec!["The sea rises.".into()],
            ..Paper::default()
        });
        let state = queued(&executor, &format!("Read {paper}.")).await;
        papers.push(paper);
        sessions.push(state.session_id);
        work(&executor, state).await;
        starts += 1;
    }
    let is_live = async |session: &SessionId| {
        let state = state_of(&executor, *session).await;
        state.unfinished_run().is_some()
    };
    while let Some(message) = stack().receive(&queue).await {
        let deadline = Deadline::after(Duration::from_secs(170));
        executor
            .handle(QueueMessage::parse(&message), deadline)
            .await
            .unwrap();
        starts += 1;
        if !is_live(sessions.last().unwrap()).await {
            break;
        }
    }
    for session in &sessions {
        let state = state_of(&executor, *session).await;
        assert_eq!(state.status, SessionStatus::Completed, "{session}");
    }
    // The first start of a run sends no request; one more start for its metadata, one for its PDF.
    assert!((3 * RUNS..=4 * RUNS).contains(&starts), "{starts} starts");
    let order: Vec<String> = asked(&papers)
        .into_iter()
        .flat_map(|request| request.ids)
        .collect();
    assert_eq!(order, [papers.clone(), papers].concat());
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_run_cancelled_while_it_waits_ends_and_takes_no_slot() {
    let executor = impatient().await;
    let state = waiting(&executor).await;
    let (id, wake) = (state.session_id, state.wake(now()).unwrap());
    let cancel = Command::Cancel { run: None };
    let actor = Actor::Client(owner());
    let sessions = &executor.sessions;
    sessions.change(id, &actor, &cancel, now()).await.unwrap();
    let deadline = Deadline::after(Duration::from_secs(170));
    let message = Ok(QueueMessage::Wake(wake));
    executor.handle(message, deadline).await.unwrap();
    let ended = state_of(&executor, id).await;
    assert_eq!(ended.run.unwrap().status, RunStatus::Cancelled);
    assert_eq!(ended.status, SessionStatus::Suspended);
    let slot = sessions.take_slot("arxiv", TAKEN, now()).await.unwrap();
    assert!(
        matches!(slot, Slot::FreeAt(_)),
        "the slot must still be taken"
    );
}
