//! `GET /api/sessions/{session_id}/history`: the messages of a session, in pages
//! from the newest backwards; within a page the oldest first.

mod operation;

use lambda_kit::http::{HttpReply, Query};
use lambda_kit::{App, Problem, Request};
use schemars::JsonSchema;
use serde::Serialize;
use session::{Message, Seq, SessionId};

pub use operation::operation;

const LIMIT: u16 = 100;
const MAX_LIMIT: u16 = 1000;

#[derive(Serialize, JsonSchema)]
struct History {
    session_id: SessionId,
    total_messages: u64,
    messages: Vec<Message>,
    next_before: Option<Seq>,
}

/// Answers with the last `?limit` messages before `?before`.
///
/// # Errors
/// `session_not_found`, `invalid_query`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session_id) = app.admit(&request)?;
    let query = Query::of(&request);
    let before = query.seq("before", 1)?;
    let limit = query.limit(MAX_LIMIT, LIMIT)?;

    let page = app
        .sessions
        .history(session_id, &actor, limit, before)
        .await?;
    HttpReply::ok(&History {
        session_id,
        total_messages: page.total,
        messages: page.messages,
        next_before: page.next_before,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::reads;
    use lambda_kit::testing::wire::{entry_with, found, queued};
    use serde_json::json;

    #[tokio::test]
    async fn it_shows_the_messages_and_their_number() {
        let new = queued();
        let log = found(&[entry_with(&new.state, &new.events)]);
        let bad = ["limit=0", "limit=1001", "before=0", "before=now"];
        let replies = [("Query", log.clone()), ("Query", log)];
        let reply = reads(super::handle, &bad, replies).await;
        assert_eq!(reply["total_messages"], 1);
        assert_eq!(reply["messages"][0]["role"], "user");
        assert_eq!(reply["messages"][0]["content"], "Explain the tides.");
        assert_eq!(reply["next_before"], json!(null));
    }
}
