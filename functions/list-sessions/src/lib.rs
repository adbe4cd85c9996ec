//! `GET /api/sessions`: the caller's sessions, the newest change of status first.

mod operation;

use lambda_kit::http::{HttpReply, Query};
use lambda_kit::{App, Problem, Request, choices};
use schemars::JsonSchema;
use serde::Serialize;
use session_manager::{Filter, SessionSummary};

pub use operation::operation;

const LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 200;

#[derive(Serialize, JsonSchema)]
struct Sessions {
    sessions: Vec<SessionSummary>,
    total: usize,
    next_cursor: Option<String>,
}

/// Answers with at most `?limit` sessions of `?status` and `?mode`, from `?cursor` on.
///
/// # Errors
/// `invalid_query`, `bad_cursor`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let caller = app.authenticator.caller(&request)?;
    let query = Query::of(&request);
    let limit = query.limit(MAX_LIMIT, LIMIT)?;
    let filter = Filter {
        status: query.word("status", choices::statuses())?,
        mode: query.word("mode", choices::modes())?,
    };
    let cursor = query.text("cursor");

    let page = app
        .sessions
        .list(&caller.owner, filter, limit, cursor)
        .await?;
    let total = page.sessions.len();
    HttpReply::ok(&Sessions {
        sessions: page.sessions,
        total,
        next_cursor: page.next_cursor,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::Code;
    use lambda_kit::testing::wire::{found, queued};
    use lambda_kit::testing::{ID, Wire, expect, get, success};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_bad_query_is_refused_and_an_outage_is_not_an_empty_list() {
        let app = Wire::default().app();
        let cases = [
            ("limit=0", Code::InvalidQuery),
            ("limit=201", Code::InvalidQuery),
            ("status=asleep", Code::InvalidQuery),
            ("mode=one-shoe", Code::InvalidQuery),
            ("cursor=here", Code::BadCursor),
            ("", Code::Unavailable),
        ];
        let cases = cases.map(|(query, code)| (get(query), code));
        expect(|request| handle(&app, request), cases).await;
    }

    #[tokio::test]
    async fn a_list_of_one_status_is_one_query() {
        let summary = SessionSummary::of(&queued().state, "Tides");
        let mut summary = serde_json::to_value(summary).unwrap();
        summary["current_step"] = json!({"last_run_status": "running", "progress": 40, "step": 3});
        let wire = Wire::new([("Query", found(&[summary]))]);
        let reply = handle(&wire.app(), get("status=active")).await;
        let reply = success(reply);
        assert_eq!(reply["total"], 1);
        assert_eq!(reply["sessions"][0]["session_id"], ID);
        assert_eq!(reply["sessions"][0]["name"], "Tides");
        let shown = ["current_step", "progress", "last_run_status"];
        let shown = shown.map(|field| reply["sessions"][0][field].clone());
        assert_eq!(shown, [json!(3), json!(40), json!("running")]);
        assert_eq!(reply["next_cursor"], json!(null));
        assert_eq!(wire.asked(), ["Query"]);
    }
}
