//! `POST /api/sessions`: a new session, active and without a task.

mod operation;

use agents::Models;
use lambda_kit::api::RunConfig;
use lambda_kit::http::{self, HttpReply};
use lambda_kit::{App, ClientConfig, Problem, Request, json, now};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use session::{Mode, NewSession, SessionId, Timestamp};
use session_manager::{NewSessionRows, SessionSummary};
use uuid::Uuid;

pub use operation::operation;

/// A session to be created.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewSession")]
struct SessionBody {
    mode: Mode,
    #[schemars(with = "Option<RunConfig>")]
    config: Option<Box<RawValue>>,
    /// The default is the mode and the time.
    #[serde(default, deserialize_with = "json::name")]
    #[schemars(length(max = json::MAX_NAME))]
    name: Option<String>,
}

/// Creates a session of `mode`. The same `Idempotency-Key` and body give the first answer again.
///
/// # Errors
/// `malformed_json`, `invalid_field`, `invalid_config`, `too_large`, `idempotency_key_reused`,
/// `unavailable`.
pub async fn handle(app: &App, models: &Models, request: Request) -> Result<HttpReply, Problem> {
    let caller = app.authenticator.caller(&request)?;
    let (body, now) = (http::body::<SessionBody>(&request)?, now());
    let mode = body.mode;
    let name_at = |created: Timestamp| match &body.name {
        Some(name) => name.clone(),
        None => format!("{mode}_{}", created.compact()),
    };
    let name = name_at(now);
    let config = ClientConfig::of(body.config)?;
    models.settings(mode, &config.value()?)?;
    let key = http::request_key(&request, &caller.owner)?;

    let new = NewSession {
        id: SessionId::new(Uuid::now_v7()),
        owner: caller.owner,
        mode,
        run: None,
    };
    let rows = NewSessionRows {
        name: name.clone(),
        config: config.into_text(),
        run_config: None,
    };
    match app.sessions.create(&new, &rows, key.as_ref(), now).await {
        Ok(committed) => HttpReply::ok(&SessionSummary::of(&committed.state, name)),
        Err(error) => {
            let first = http::first_time(key.as_ref(), error)?;
            let created = app.sessions.as_created(first.session_id).await?;
            // The session may have another name by now.
            let name = name_at(created.created_at);
            HttpReply::ok(&SessionSummary { name, ..created })
        }
    }
}

#[cfg(test)]
mod tests {
    use agents::{ModelSettings, Models};
    use lambda_kit::Code;
    use lambda_kit::testing::{Wire, expect, post, success};
    use serde_json::json;

    fn models() -> Models {
        Models::new(&ModelSettings::read(|_| None).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_bad_body_is_told_what_is_wrong_with_it() {
        let (models, wire) = (models(), Wire::default());
        let app = wire.app();
        let cases = [
            ("", Code::MalformedJson),
            ("{", Code::MalformedJson),
            ("[]", Code::InvalidField),
            ("{}", Code::InvalidField),
            (r#"{"mode": null}"#, Code::InvalidField),
            (r#"{"mode": "one-shoe"}"#, Code::InvalidField),
            (r#"{"mode": 1}"#, Code::InvalidField),
            (r#"{"mode": "one-shot", "name": 1}"#, Code::InvalidField),
            (r#"{"mode": "one-shot", "config": []}"#, Code::InvalidField),
            (
                r#"{"mode": "one-shot", "config": {"maxAttempts": 11}}"#,
                Code::InvalidConfig,
            ),
            (
                r#"{"mode": "one-shot", "config": {"agent": "planner"}}"#,
                Code::InvalidConfig,
            ),
            (&" ".repeat(1024 * 1024 + 1), Code::TooLarge),
        ];
        let cases = cases.map(|(body, code)| (post(body), code));
        expect(|request| super::handle(&app, &models, request), cases).await;
        assert!(wire.asked().is_empty());
    }

    #[tokio::test]
    async fn a_session_is_created_by_one_write() {
        let wire = Wire::new([("TransactWriteItems", json!({}))]);
        let body = r#"{"mode": "one-shot", "name": "Tides", "session_id": 1, "config": null}"#;
        let reply = super::handle(&wire.app(), &models(), post(body)).await;
        let reply = success(reply);
        assert_eq!(reply["name"], "Tides");
        assert_eq!(reply["mode"], "one-shot");
        assert_eq!(reply["status"], "active");
        assert_eq!(wire.asked(), ["TransactWriteItems"]);
    }
}
