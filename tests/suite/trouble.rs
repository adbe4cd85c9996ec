//! An executor with a failing table: a paid model answer is not lost, and the lease is released.
//!
//! The executor runs in this process. It uses the stack's table through a proxy that injects
//! faults.

use lambda_kit::now;
use serde_json::json;
use session::{NewSession, OwnerId, RunStatus, SessionId, SessionStatus, State};
use session_manager::{NewSessionRows, SessionManager};
use tests::stack::stack;
use uuid::Uuid;

use crate::in_process::{executor, run, work};

#[path = "../../shared/session-manager/tests/dynamodb/proxy.rs"]
#[allow(dead_code, reason = "these tests need only some of its faults")]
mod proxy;

use proxy::{Fault, Proxy};

/// More than the manager's own retries within one commit.
const LONG_TROUBLE: usize = 40;

async fn queued(sessions: &SessionManager) -> State {
    let new = NewSession {
        id: SessionId::new(Uuid::now_v7()),
        owner: OwnerId::of("tests", "trouble"),
        mode: session::Mode::OneShot,
        run: Some(run("Say when the tide comes. It comes twice a day.")),
    };
    let rows = NewSessionRows {
        name: "trouble".into(),
        config: json!({}).to_string(),
        run_config: None,
    };
    sessions
        .create(&new, &rows, None, now())
        .await
        .unwrap()
        .state
}

/// One slice with these faults after the lease was taken; returns the session after it.
async fn slice_with(faults: Vec<(&'static str, Vec<Fault>)>) -> (State, Vec<String>) {
    let proxy = Proxy::before(stack().get("AWS_ENDPOINT_URL_DYNAMODB")).await;
    let executor = executor(&proxy.endpoint, &[]).await;
    let state = queued(&executor.sessions).await;
    for (operation, faults) in faults {
        proxy.next(operation, faults);
    }
    let from = state.last_seq.plus(1);
    let state = work(&executor, state).await;
    let record = executor
        .sessions
        .record(state.session_id, from, session::Seq(500))
        .await
        .unwrap();
    let kinds = record.iter().map(|event| {
        serde_json::to_value(event).unwrap()["event_type"]
            .as_str()
            .unwrap()
            .to_owned()
    });
    let kinds = kinds.collect();
    (state, kinds)
}

fn assert_done_once(state: &State, kinds: &[String]) {
    assert_eq!(state.status, SessionStatus::Completed, "{kinds:?}");
    assert_eq!(state.run.as_ref().unwrap().status, RunStatus::Completed);
    for kind in ["workflow_started", "agent_message", "result", "complete"] {
        assert_eq!(
            kinds.iter().filter(|seen| *seen == kind).count(),
            1,
            "{kind} in {kinds:?}"
        );
    }
    assert!(
        !kinds.iter().any(|kind| kind == "slice_started"),
        "one worker must execute the whole run: {kinds:?}"
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_long_throttling_during_a_run_loses_no_answer() {
    let throttle = || Fault::throttled("ProvisionedThroughputExceededException");
    let faults = (0..LONG_TROUBLE).map(|_| throttle()).collect();
    let (state, kinds) = slice_with(vec![("PutItem", faults)]).await;
    assert_done_once(&state, &kinds);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_stored_commit_with_a_lost_reply_is_recognised_as_its_own() {
    let lost = (0..3).map(|_| Fault::LoseReply).collect();
    let (state, kinds) = slice_with(vec![("PutItem", lost)]).await;
    assert_done_once(&state, &kinds);
}
