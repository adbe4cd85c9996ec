//! A run waits for an answer, the whole stack goes down and comes up again, and the run goes on with the answer.
//!
//! What `DATA=<folder>` keeps is all that is left: the table and the bucket. Queue, connections, APIs and every process are
//! new. The task is long enough to stand in the bucket, so that going on needs both. `infra/local/restart.py` runs `before`
//! and `after`, each on a stack of its own.

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::people::{answer, question};
use tests::rest::{count, create_with, record, start};
use tests::stack::folder;
use tests::ws::connect;
use uuid::Uuid;

/// Where the first part leaves the record for the second one.
fn kept() -> PathBuf {
    folder().join("restart.json")
}

mod before {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a stack of its own: make test"]
    async fn a_run_asks() {
        let config = json!({"hitlVariant": "planning_only", "maxPlanSteps": 2, "nPlanReviews": 0});
        let session = create_with("hitl-interactive", &config).await;
        // Above 32 KiB, so that it goes through the bucket.
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
    async fn the_run_stands_where_it_stood_and_goes_on_with_the_answer() {
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
        assert_eq!(client.events, events, "what was pushed is what REST tells");
        assert!(count(&events, "step_complete") > 0);
        assert_eq!(events[..asked.len()], asked);
    }
}
