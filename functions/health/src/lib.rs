//! `GET /api/health`: whether the API works and the caller's token is valid.

mod operation;

use lambda_kit::http::HttpReply;
use lambda_kit::{Authenticator, Problem, Request};
use schemars::JsonSchema;
use serde::Serialize;

pub use operation::operation;

#[derive(Serialize, JsonSchema)]
struct Health {
    status: &'static str,
}

/// Answers `ok`.
///
/// # Errors
/// `unauthenticated`.
pub async fn handle(authenticator: &Authenticator, request: Request) -> Result<HttpReply, Problem> {
    authenticator.caller(&request)?;
    HttpReply::ok(&Health { status: "ok" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_kit::testing::{gate, get};

    #[tokio::test]
    async fn it_is_ok_for_a_caller_with_a_token() {
        let reply = handle(&gate(Some("local")), get("")).await.unwrap();
        assert_eq!(reply.json(), r#"{"status":"ok"}"#);
        assert_eq!(
            handle(&gate(None), get("")).await.unwrap_err().status(),
            401
        );
    }
}
