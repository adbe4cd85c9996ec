//! A run that waits for arXiv's slot appends nothing and counts no attempt. The sweeper looks at it
//! later. A cancel ends it at once.
//!
//! The executor runs in this process, so that no other worker receives the slot's message.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use executor::{Deadline, Executor};
use lambda_kit::{QueueMessage, now};
use session::{
    Command, Mode, NewSession, OwnerId, RunStatus, SessionId, SessionStatus, State, Timestamp,
};
use session_manager::{Actor, NewSessionRows, Slot};
use tests::stack::stack;
use uuid::Uuid;
use workflow::calls_arxiv_at;

use crate::in_process::{executor, run, state_of, work};

/// Short, because the concurrent tests share the slot.
const TAKEN: Duration = Duration::from_secs(3);

fn owner() -> OwnerId {
    OwnerId::of("tests", "waiting")
}

/// An executor whose sweeper looks again after two seconds.
async fn impatient() -> Executor {
    let bucket = stack().get("BUCKET_NAME");
    let settings = [("BUCKET_NAME", bucket), ("REQUEUE_SECONDS", "2")];
    executor(stack().get("AWS_ENDPOINT_URL_DYNAMODB"), &settings).await
}

/// A run whose next step is an arXiv request and which has to wait.
async fn waiting(executor: &Executor) -> State {
    let new = NewSession {
        id: SessionId::new(Uuid::now_v7()),
        owner: owner(),
        mode: Mode::Arxiv,
        run: Some(run("Read arXiv:2101.00001 and say what it says.")),
    };
    let rows = NewSessionRows {
        name: "waiting".into(),
        config: "{}".into(),
        run_config: None,
    };
    let sessions = &executor.sessions;
    let created = sessions.create(&new, &rows, None, now()).await.unwrap();
    let state = work(executor, created.state).await;
    let position = state.unfinished_run().unwrap().position;
    assert!(calls_arxiv_at(position), "{position:?}");
    let until = now().plus(TAKEN);
    sessions.push_back_slot("arxiv", until).await.unwrap();
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
