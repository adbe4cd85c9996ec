//! `GET /api/sessions/{session_id}/approvals`: the approvals of a session, newest first.

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
    use lambda_kit::now;
    use lambda_kit::testing::wire::{approval, asked, entry, found};
    use lambda_kit::testing::{ID, reads};
    use serde_json::json;

    #[tokio::test]
    async fn it_shows_the_approvals() {
        let (state, row) = asked(now());
        let bad = ["limit=0", "limit=201", "status=open", "status="];
        let replies = [
            ("Query", found(&[entry(&state)])),
            ("Query", found(&[approval(&row)])),
        ];
        let reply = reads(super::handle, &bad, replies).await;
        assert_eq!(reply["approvals"][0]["approval_id"], ID);
        assert_eq!(reply["approvals"][0]["context"], json!({"plan": []}));
        assert_eq!(reply["next_cursor"], json!(null));
    }
}
