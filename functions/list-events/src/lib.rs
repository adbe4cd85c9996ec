//! `GET /api/sessions/{session_id}/events`: the record of a session.

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
    /// Whether `after` is beyond the record: the client's copy is of another one, and begins again
    /// at 0. Absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cursor_ahead: bool,
}

/// Answers with at most `?limit` events after `?after`.
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
        cursor_ahead: page.cursor_ahead,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::{entry, entry_with, found, queued};
    use lambda_kit::testing::{Wire, get, reads, success};
    use serde_json::json;

    #[tokio::test]
    async fn it_shows_the_record_and_its_end() {
        let new = queued();
        let log = found(&[entry_with(&new.state, &new.events)]);
        let bad = ["limit=0", "limit=501", "after=-1", "after=first"];
        let replies = [("Query", log.clone()), ("Query", log)];
        let reply = reads(super::handle, &bad, replies).await;
        let events = reply["events"].as_array().unwrap();
        assert_eq!(events.len(), new.events.len());
        assert_eq!(events[0]["seq"], 1);
        assert_eq!(reply["last_seq"], json!(new.state.last_seq));
        assert_eq!(reply["next_after"], json!(null));
        assert_eq!(reply["cursor_ahead"], json!(null));
    }

    #[tokio::test]
    async fn a_place_beyond_the_record_is_told() {
        let state = queued().state;
        let wire = Wire::new([("Query", found(&[entry(&state)])), ("Query", found(&[]))]);
        let request = get(&format!("after={}", state.last_seq.0 + 1_000));
        let reply = success(super::handle(&wire.app(), request).await);
        assert_eq!(
            reply,
            json!({
                "session_id": state.session_id, "events": [], "last_seq": state.last_seq,
                "next_after": null, "cursor_ahead": true,
            })
        );
    }
}
