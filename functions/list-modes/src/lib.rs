//! `GET /api/sessions/modes/list`: the eight modes, in the contract's order.

mod operation;

use lambda_kit::http::HttpReply;
use lambda_kit::{Authenticator, Problem, Request};
use schemars::JsonSchema;
use serde::Serialize;
use session::{MODES, ModeInfo};

pub use operation::operation;

#[derive(Serialize, JsonSchema)]
struct Modes {
    modes: &'static [ModeInfo],
    total: usize,
}

/// Answers with all modes.
///
/// # Errors
/// `unauthenticated`.
pub async fn handle(gate: &Authenticator, request: Request) -> Result<HttpReply, Problem> {
    gate.caller(&request)?;
    HttpReply::ok(&Modes {
        modes: &MODES,
        total: MODES.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_kit::testing::{gate, get};
    use serde_json::Value;

    #[tokio::test]
    async fn there_are_eight_modes_in_the_contracts_order() {
        let reply = handle(&gate(Some("local")), get("")).await.unwrap();
        let modes: Value = serde_json::from_str(reply.json()).unwrap();
        assert_eq!(modes["total"], 8);
        let ids: Vec<&str> = modes["modes"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|mode| mode["id"].as_str())
            .collect();
        let expected = "copilot planning-control one-shot hitl-interactive idea-generation ocr arxiv enhance-input";
        assert_eq!(ids.join(" "), expected);
        assert_eq!(modes["modes"][1]["label"], "Planning & Control");
        assert_eq!(modes["modes"][2]["supports_resume"], false);
    }

    #[tokio::test]
    async fn a_request_without_a_token_is_refused() {
        let refused = handle(&gate(None), get("")).await.unwrap_err();
        assert_eq!(refused.status(), 401);
    }
}
