//! `PATCH /api/sessions/{session_id}`: gives a session another name.

mod operation;

use lambda_kit::http::{self, HttpReply};
use lambda_kit::{App, Problem, Request, json};
use schemars::JsonSchema;
use serde::Deserialize;

pub use operation::operation;

/// The new name of a session.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewName")]
struct NameBody {
    /// Not blank. Without it the session keeps its name.
    #[serde(default, deserialize_with = "json::new_name")]
    #[schemars(length(min = 1, max = json::MAX_NAME), extend("pattern" = r"\S"))]
    name: Option<String>,
}

/// Renames a session. Neither its record nor `updated_at` changes.
///
/// # Errors
/// `malformed_json`, `invalid_field`, `too_large`, `session_not_found`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    let body = http::body::<NameBody>(&request)?;
    HttpReply::ok(&app.sessions.rename(session, &actor, body.name).await?)
}

#[cfg(test)]
mod tests {
    use lambda_kit::Code;
    use lambda_kit::testing::wire::{entry, found, got, idle};
    use lambda_kit::testing::{Wire, expect, of_session, post, success};
    use serde_json::json;

    #[tokio::test]
    async fn a_name_that_cannot_be_used_is_refused_before_any_call() {
        let wire = Wire::default();
        let app = wire.app();
        let long = format!(r#"{{"name": "{}"}}"#, "ä".repeat(256));
        let cases = [
            ("", Code::MalformedJson),
            ("{", Code::MalformedJson),
            ("[]", Code::InvalidField),
            (r#"{"name": 1}"#, Code::InvalidField),
            (r#"{"name": ["Tides"]}"#, Code::InvalidField),
            (r#"{"name": ""}"#, Code::InvalidField),
            (r#"{"name": " \n"}"#, Code::InvalidField),
            (&long, Code::InvalidField),
            (&" ".repeat(1024 * 1024 + 1), Code::TooLarge),
        ];
        let cases = cases.map(|(body, code)| (post(body), code));
        expect(|request| super::handle(&app, request), cases).await;
        let unknown = [(of_session("x"), Code::SessionNotFound)];
        expect(|request| super::handle(&app, request), unknown).await;
        assert!(wire.asked().is_empty());
    }

    #[tokio::test]
    async fn it_reads_the_state_and_writes_the_name() {
        let log = found(&[entry(&idle())]);
        let wire = Wire::new([("Query", log), ("UpdateItem", json!({}))]);
        let longest = "ä".repeat(255);
        let body = json!({"name": longest, "mode": "ignored"}).to_string();
        let reply = success(super::handle(&wire.app(), post(body)).await);
        assert_eq!(reply["name"], longest);
        assert_eq!(reply["status"], "active");
        assert_eq!(wire.asked(), ["Query", "UpdateItem"]);
    }

    #[tokio::test]
    async fn without_a_name_nothing_changes() {
        let summary = session_manager::SessionSummary::of(&idle(), "Tides");
        let summary = serde_json::to_value(summary).unwrap();
        for body in ["{}", r#"{"name": null}"#] {
            let log = found(&[entry(&idle())]);
            let wire = Wire::new([("Query", log), ("GetItem", got(&summary))]);
            let reply = success(super::handle(&wire.app(), post(body)).await);
            assert_eq!(reply, summary);
            assert_eq!(wire.asked(), ["Query", "GetItem"]);
        }
    }
}
