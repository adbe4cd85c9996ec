//! `GET /api/sessions/{session_id}/runs`: the runs of a session, newest first.

mod operation;

use lambda_kit::http::{HttpReply, Query};
use lambda_kit::{App, Problem, Request};
use schemars::JsonSchema;
use serde::Serialize;
use session::{RunRow, SessionId};

pub use operation::operation;

const LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 200;

#[derive(Serialize, JsonSchema)]
struct Runs {
    session_id: SessionId,
    total_runs: u64,
    runs: Vec<RunRow>,
    next_cursor: Option<String>,
}

/// Answers with at most `?limit` runs, from `?cursor` on.
///
/// # Errors
/// `session_not_found`, `invalid_query`, `bad_cursor`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session_id) = app.admit(&request)?;
    let query = Query::of(&request);
    let limit = query.limit(MAX_LIMIT, LIMIT)?;
    let cursor = query.text("cursor");

    let page = app.sessions.runs(session_id, &actor, limit, cursor).await?;
    HttpReply::ok(&Runs {
        session_id,
        total_runs: page.total,
        runs: page.runs,
        next_cursor: page.next_cursor,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::{entry, found, queued, run};
    use lambda_kit::testing::{ID, reads};
    use serde_json::json;

    #[tokio::test]
    async fn it_shows_the_runs_and_their_number() {
        let new = queued();
        let replies = [
            ("Query", found(&[entry(&new.state)])),
            ("Query", found(&[run(&new)])),
        ];
        let reply = reads(super::handle, &["limit=0", "limit=201"], replies).await;
        assert_eq!(reply["total_runs"], 1);
        assert_eq!(reply["runs"][0]["id"], ID);
        assert_eq!(reply["runs"][0]["task_description"], "Explain the tides.");
        assert_eq!(reply["next_cursor"], json!(null));
    }
}
