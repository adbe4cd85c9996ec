//! `GET /api/runs/{run_id}/history`: the events of a run, all or of one kind, page by page.

mod operation;

use lambda_kit::http::{HttpReply, Query};
use lambda_kit::{App, Problem, Request};
use schemars::JsonSchema;
use serde::Serialize;
use session::RunId;
use session_manager::{RunEvent, RunEventFilter};

pub use operation::operation;

const LIMIT: u16 = 100;
const MAX_LIMIT: u16 = 500;

#[derive(Serialize, JsonSchema)]
struct RunHistoryPage {
    run_id: RunId,
    /// The number of the run's events of any kind, so far.
    total_events: u64,
    events: Vec<RunEvent>,
    next_cursor: Option<String>,
}

/// Answers with at most `?limit` events of a run, of `?event_type` or of any kind, from `?cursor`
/// on. They are in the order of the record. A page of one kind reads a bounded part of the record:
/// it may have few events, even none, and still a `next_cursor`.
///
/// # Errors
/// `run_not_found`, `invalid_query`, `bad_cursor`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let query = Query::of(&request);
    let limit = query.limit(MAX_LIMIT, LIMIT)?;
    let filter = RunEventFilter {
        kind: query.word("event_type", "1 to 64 lower-case letters or `_`")?,
        ..RunEventFilter::default()
    };
    let run = app.admit_run(&request).await?;

    let cursor = query.text("cursor");
    let page = app
        .sessions
        .run_events(&run, &filter, limit, cursor)
        .await?;
    HttpReply::ok(&RunHistoryPage {
        run_id: run.row.id,
        total_events: run.event_count(),
        events: page.events,
        next_cursor: page.next_cursor,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::{entry_with, found, got, locator, queued, run};
    use lambda_kit::testing::{ID, reads_run};
    use serde_json::json;

    #[tokio::test]
    async fn it_shows_the_events_of_the_run() {
        let new = queued();
        let log = found(&[entry_with(&new.state, &new.events)]);
        let bad = ["limit=0", "limit=501", "event_type=", "event_type=Output"];
        let replies = [
            ("GetItem", got(&locator())),
            ("GetItem", got(&run(&new))),
            ("Query", log.clone()),
            ("Query", log),
        ];
        let reply = reads_run(super::handle, &bad, replies).await;
        assert_eq!(
            (&reply["run_id"], &reply["total_events"]),
            (&json!(ID), &json!(2))
        );
        let task = &reply["events"][1];
        assert_eq!(
            (&task["id"], &task["event_type"]),
            (&json!("2"), &json!("user_message"))
        );
        assert_eq!(task["inputs"], "Explain the tides.");
        assert_eq!(reply["next_cursor"], json!(null));
    }
}
