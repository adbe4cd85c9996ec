//! `GET /api/sessions/{session_id}/events`: the record of a session, from any place on.

mod operation;

use lambda_kit::http::{HttpReply, Query};
use lambda_kit::{App, Problem, Request};
use schemars::JsonSchema;
use serde::Serialize;
use session::{Envelope, Seq, SessionId};

pub use operation::operation;

const LIMIT: u16 = 100;
const MAX_LIMIT: u16 = 500;

#[derive(Serialize, JsonSchema)]
struct Events {
    session_id: SessionId,
    events: Vec<Envelope>,
    last_seq: Seq,
    next_after: Option<Seq>,
}

/// Answers with the events behind `?after`, at most `?limit` of them.
///
/// # Errors
/// `session_not_found`, `invalid_query`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session_id) = app.admit(&request)?;
    let query = Query::of(&request);
    let after = query.seq("after", 0)?.unwrap_or_default();
    let limit = query.limit(MAX_LIMIT, LIMIT)?;

    let page = app
        .sessions
        .events(session_id, &actor, after, limit)
        .await?;
    HttpReply::ok(&Events {
        session_id,
        events: page.envelopes,
        last_seq: page.last_seq,
        next_after: page.next_after,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::reads;

    #[tokio::test]
    async fn a_bad_query_is_named_and_an_outage_is_no_empty_answer() {
        reads(
            super::handle,
            &["limit=0", "limit=501", "after=-1", "after=first"],
        )
        .await;
    }
}
