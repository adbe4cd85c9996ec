//! `GET /api/sessions/modes/list`: the eight modes, in the contract's order.

use lambda_kit::http::Reply;
use lambda_kit::{Gate, Problem, Request};
use serde::Serialize;
use session::{MODES, ModeInfo};

#[derive(Serialize)]
struct Modes {
    modes: &'static [ModeInfo],
    total: usize,
}

/// Answers with the domain's table.
///
/// # Errors
/// `unauthenticated`.
pub async fn handle(gate: &Gate, request: Request) -> Result<Reply, Problem> {
    gate.caller(&request)?;
    Reply::ok(&Modes {
        modes: &MODES,
        total: MODES.len(),
    })
}
