//! A run waits for an answer, the whole stack stops and starts again, and the run continues with
//! the answer.
//!
//! Only `DATA=<folder>` survives: the table and the bucket. Queue, connections, APIs and processes
//! are new. The task is long enough to be stored in the bucket, so the run needs both to continue.
//! `infra/local/restart.py` runs `before` and `after`, each on a stack of its own.

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::people::{answer, question};
use tests::rest::{count, create_with, record, start};
use tests::stack::folder;
use tests::ws::connect;
use uuid::Uuid;

/// The file in which the first part leaves the record for the second one.
fn kept() -> PathBuf {
    folder().join("restart.json")
}

mod before {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a stack of its own: make test"]
    async fn a_run_waits_for_an_answer() {
        let config = json!({"hitlVariant": "planning_only", "maxPlanSteps": 2, "nPlanReviews": 0});
        let session = create_with("hitl-interactive", &config).await;
        // Above 32 KiB, so that the task is stored in the bucket.
        let task = "Explain why the sea comes twice a day. The Moon pulls at the near side more than at the centre. ";
        start(&session, &task.repeat(400)).await;
        question(&session, "during_planning").await;
        let asked = Value::from(record(&session).await);
        std::fs::write(kept(), asked.to_string()).unwrap();
    }
}

mod after {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a stack of its own: make test"]
    async fn the_run_is_unchanged_and_continues_with_the_answer() {
        let asked: Vec<Value> =
            serde_json::from_str(&std::fs::read_to_string(kept()).unwrap()).unwrap();
        let asking = asked.last().unwrap();
        let session = asking["session_id"].as_str().unwrap();
        assert_eq!(record(session).await, asked);
        let open = question(session, "during_planning").await;
        assert_eq!(open["approval_id"], asking["data"]["approval_id"]);
        let mut client = connect(&Uuid::now_v7().to_string()).await;
        client.follow(session).await;
        let body = json!({"resolution": "approve"});
        answer(session, &open, &body).await.ok();
        client.until("complete").await;
        let events = record(session).await;
        assert_eq!(
            client.events, events,
            "the pushed events must equal those of REST"
        );
        assert!(count(&events, "step_complete") > 0);
        assert_eq!(events[..asked.len()], asked);
    }
}
