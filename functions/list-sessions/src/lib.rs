//! `GET /api/sessions`: the caller's sessions, the newest change of status first.

use lambda_kit::http::{Query, Reply};
use lambda_kit::task::ONE_OF_THE_MODES;
use lambda_kit::{App, Problem, Request};
use serde::Serialize;
use session_manager::{Filter, Summary};

const LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 200;

#[derive(Serialize)]
struct Sessions {
    total: usize,
    sessions: Vec<Summary>,
    next_cursor: Option<String>,
}

/// Answers with at most `?limit` sessions of `?status` and `?mode`, from `?cursor` on.
///
/// # Errors
/// `invalid_query`, `bad_cursor`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<Reply, Problem> {
    let caller = app.gate.caller(&request)?;
    let query = Query::of(&request);
    let limit = query.limit(MAX_LIMIT, LIMIT)?;
    let filter = Filter {
        status: query.word("status", "one of active, suspended, completed, expired")?,
        mode: query.word("mode", ONE_OF_THE_MODES)?,
    };
    let cursor = query.text("cursor");

    let page = app
        .sessions
        .list(&caller.owner, filter, limit, cursor)
        .await?;
    Reply::ok(&Sessions {
        total: page.sessions.len(),
        sessions: page.sessions,
        next_cursor: page.next_cursor,
    })
}
