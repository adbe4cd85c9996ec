//! The two kinds of workers: a run goes on with the one that its stage needs, and a message that
//! came to the other one is handed on and not worked on.
//!
//! The workers run in this process with queues of their own, so that each message is seen.

use std::time::Duration;

use document_executor::ReaderTasks;
use executor::{Deadline, DocumentTasks, Executor, TextTasks};
use lambda_kit::{Code, Problem, QueueMessage, now};
use serde_json::json;
use session::{Mode, NewSession, OwnerId, SessionId, SessionStatus, Stage, State, WorkerKind};
use session_manager::NewSessionRows;
use tests::files::text;
use tests::rest::{count, create, record, start, until_status};
use tests::stack::{shared_workers, stack};
use uuid::Uuid;

use crate::in_process::{document_executor, executor, run, state_of};

/// Both workers, and the queues to which they send.
struct Workers {
    models: Executor<TextTasks>,
    documents: Executor<ReaderTasks>,
    queues: [String; 3],
}

impl Workers {
    async fn new() -> Self {
        let queues = [
            stack().new_queue().await,
            stack().new_queue().await,
            stack().new_queue().await,
        ];
        let settings = [
            ("BUCKET_NAME", stack().get("BUCKET_NAME")),
            ("QUEUE_URL", &queues[0]),
            ("DOCUMENT_QUEUE_URL", &queues[1]),
            ("PURGE_QUEUE_URL", &queues[2]),
        ];
        let endpoint = stack().get("AWS_ENDPOINT_URL_DYNAMODB");
        Self {
            models: executor(endpoint, &settings).await,
            documents: document_executor(&settings).await,
            queues,
        }
    }

    /// The next message of the queue of the worker for models, for documents, or of purges.
    async fn sent(&self, queue: usize) -> String {
        let message = stack().receive(&self.queues[queue]).await;
        message.expect("a message")
    }
}

async fn handle<T: DocumentTasks>(worker: &Executor<T>, body: &str) -> Result<(), Problem> {
    let deadline = Deadline::after(Duration::from_secs(170));
    worker.handle(QueueMessage::parse(body), deadline).await
}

/// A queued run of this mode.
async fn queued(worker: &Executor<TextTasks>, mode: Mode, task: &str) -> State {
    let new = NewSession {
        id: SessionId::new(Uuid::now_v7()),
        owner: OwnerId::of("tests", "workers"),
        mode,
        run: Some(run(task)),
    };
    let rows = NewSessionRows {
        name: "workers".into(),
        config: "{}".into(),
        run_config: None,
    };
    let created = worker.sessions.create(&new, &rows, None, now()).await;
    created.unwrap().state
}

/// The message of a run as the version before the two workers sent it.
fn old_message(state: &State) -> String {
    let run = state.run.as_ref().unwrap().id;
    json!({"session_id": state.session_id, "run_id": run, "epoch": 0}).to_string()
}

fn worker_of(body: &str) -> WorkerKind {
    QueueMessage::parse(body).unwrap().worker()
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_run_moves_to_the_worker_for_models_when_its_papers_are_read() {
    let workers = Workers::new().await;
    let queued = queued(&workers.models, Mode::EnhanceInput, "Nothing to look up.").await;
    let id = queued.session_id;
    let wake = queued.wake(now()).unwrap();
    assert_eq!(wake.worker, WorkerKind::Documents);
    let deadline = Deadline::after(Duration::from_secs(170));
    let message = Ok(QueueMessage::Wake(wake));
    workers.documents.handle(message, deadline).await.unwrap();

    let between = state_of(&workers.models, id).await;
    let position = between.unfinished_run().unwrap().position;
    assert_eq!(position.stage, Stage::Summarize);
    assert_eq!(between.lease.until, None, "the lease is yielded");
    let message = workers.sent(0).await;
    assert_eq!(worker_of(&message), WorkerKind::Models);
    handle(&workers.models, &message).await.unwrap();
    let ended = state_of(&workers.models, id).await;
    assert_eq!(ended.status, SessionStatus::Completed);
    assert_eq!(ended.run.unwrap().hops, 1);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_message_for_the_other_worker_is_handed_on_and_changes_nothing() {
    let workers = Workers::new().await;
    let of_documents = queued(&workers.models, Mode::Ocr, "Read it.").await;
    let of_models = queued(&workers.models, Mode::OneShot, "Say it.").await;
    handle(&workers.models, &old_message(&of_documents))
        .await
        .unwrap();
    handle(&workers.documents, &old_message(&of_models))
        .await
        .unwrap();
    for (queue, state, worker) in [
        (1, of_documents, WorkerKind::Documents),
        (0, of_models, WorkerKind::Models),
    ] {
        let message = workers.sent(queue).await;
        let run = state.run.as_ref().unwrap().id;
        let Ok(QueueMessage::Wake(wake)) = QueueMessage::parse(&message) else {
            panic!("{message}");
        };
        assert_eq!((wake.session_id, wake.run_id), (state.session_id, run));
        assert_eq!(wake.worker, worker);
        assert_eq!(state_of(&workers.models, state.session_id).await, state);
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn purges_and_replays_are_handed_on_as_well() {
    let workers = Workers::new().await;
    let id = Uuid::now_v7();
    let purge = json!({"session_id": id, "purge": true}).to_string();
    let replay = json!({
        "connection_id": "c=", "session_id": id, "replay_id": id, "after": 500, "tries": 0,
    });
    handle(&workers.models, &purge).await.unwrap();
    handle(&workers.documents, &replay.to_string())
        .await
        .unwrap();
    for (queue, sent) in [(2, purge), (0, replay.to_string())] {
        let message = workers.sent(queue).await;
        assert_eq!(
            QueueMessage::parse(&message).unwrap(),
            QueueMessage::parse(&sent).unwrap()
        );
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_message_that_cannot_be_handed_on_stays_in_its_queue() {
    let endpoint = stack().get("AWS_ENDPOINT_URL_DYNAMODB");
    let cut_off = executor(endpoint, &[]).await;
    let state = queued(&cut_off, Mode::Ocr, "Read it.").await;
    let purge = json!({"session_id": state.session_id, "purge": true}).to_string();
    for body in [old_message(&state), purge] {
        let handled = handle(&cut_off, &body).await;
        assert_eq!(handled.unwrap_err().code(), Code::Unavailable);
    }
    assert_eq!(state_of(&cut_off, state.session_id).await, state);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_message_in_the_queue_of_the_other_worker_is_lost_by_neither() {
    let _calm = shared_workers().await;
    let id = create("enhance-input").await;
    let task = "Nothing to look up here.";
    let run = start(&id, task).await;
    // As after an upgrade, or after messages were moved by hand.
    let body = json!({"session_id": id, "run_id": run}).to_string();
    for queue in ["QUEUE_URL", "DOCUMENT_QUEUE_URL"] {
        stack().send_to(stack().get(queue), &body).await;
    }
    until_status(&id, "completed").await;
    assert_eq!(text(&id, "enhanced_input.md").await, task);
    let events = record(&id).await;
    assert_eq!(
        count(&events, "slice_started"),
        1,
        "the other worker took over"
    );
    assert_eq!(count(&events, "complete"), 1);
}
