//! `GET /api/sessions/{session_id}/approvals`: the questions of a session to people, newest first, answered or not.

mod operation;

use lambda_kit::http::{HttpReply, Query};
use lambda_kit::{App, Problem, Request, choices};
use schemars::JsonSchema;
use serde::Serialize;
use session::{ApprovalRow, SessionId};

pub use operation::operation;

const LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 200;

#[derive(Serialize, JsonSchema)]
struct Approvals {
    session_id: SessionId,
    approvals: Vec<ApprovalRow>,
    next_cursor: Option<String>,
}

/// Answers with at most `?limit` approvals of `?status`, from `?cursor` on.
///
/// # Errors
/// `session_not_found`, `invalid_query`, `bad_cursor`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session_id) = app.admit(&request)?;
    let query = Query::of(&request);
    let limit = query.limit(MAX_LIMIT, LIMIT)?;
    let status = query.word("status", choices::approval_statuses())?;
    let cursor = query.text("cursor");

    let page = app
        .sessions
        .approvals(session_id, &actor, status, limit, cursor)
        .await?;
    HttpReply::ok(&Approvals {
        session_id,
        approvals: page.approvals,
        next_cursor: page.next_cursor,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::reads;

    #[tokio::test]
    async fn a_bad_query_is_named_and_an_outage_is_no_empty_answer() {
        reads(
            super::handle,
            &["limit=0", "limit=201", "status=open", "status="],
        )
        .await;
    }
}
