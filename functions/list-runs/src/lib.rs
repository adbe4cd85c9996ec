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
    use lambda_kit::testing::reads;

    #[tokio::test]
    async fn a_bad_query_is_named_and_an_outage_is_no_empty_answer() {
        reads(super::handle, &["limit=0", "limit=201"]).await;
    }
}
