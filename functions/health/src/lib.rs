//! `GET /api/health`: that the API stands, and that the caller's token is good.

use lambda_kit::http::Reply;
use lambda_kit::{Gate, Problem, Request};
use serde::Serialize;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// Answers that all is well.
///
/// # Errors
/// `unauthenticated`.
pub async fn handle(gate: &Gate, request: Request) -> Result<Reply, Problem> {
    gate.caller(&request)?;
    Reply::ok(&Health { status: "ok" })
}
