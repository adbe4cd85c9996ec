//! `POST /api/sessions`: a new session, active and without a task.

use lambda_kit::http::{self, Reply};
use lambda_kit::task::ONE_OF_THE_MODES;
use lambda_kit::{App, ClientConfig, Fields, Models, Problem, Request, now};
use session::{Mode, NewSession, SessionId, Timestamp};
use session_manager::{NewRows, Summary};
use uuid::Uuid;

/// The longest name, in characters.
const MAX_NAME: usize = 255;

/// Creates a session of `mode`. The same `Idempotency-Key` and body give the first answer again.
///
/// # Errors
/// `malformed_json`, `invalid_field`, `invalid_config`, `too_large`, `idempotency_key_reused`, `unavailable`.
pub async fn handle(app: &App, models: &Models, request: Request) -> Result<Reply, Problem> {
    let caller = app.gate.caller(&request)?;
    let (body, now) = (http::fields(&request)?, now());
    let mode = body
        .word("mode", ONE_OF_THE_MODES)?
        .ok_or_else(|| Problem::field("mode", ONE_OF_THE_MODES))?;
    let name = name(&body, mode, now)?;
    let config = ClientConfig::of(&body)?;
    models.settings(mode, &config)?;
    let key = http::request_key(&request, &caller.owner)?;

    let new = NewSession {
        id: SessionId::new(Uuid::now_v7()),
        owner: caller.owner,
        mode,
        run: None,
    };
    let rows = NewRows {
        name: name.clone(),
        config: config.into_text(),
        run_config: None,
    };
    match app.sessions.create(&new, &rows, key.as_ref(), now).await {
        Ok(committed) => Reply::ok(&Summary::of(&committed.state, name)),
        Err(error) => http::first_answer(200, key.as_ref(), error),
    }
}

fn name(body: &Fields, mode: Mode, now: Timestamp) -> Result<String, Problem> {
    let given = body.text("name")?.filter(|name| !name.trim().is_empty());
    let name = given.unwrap_or_else(|| format!("{mode}_{}", now.compact()));
    if name.chars().count() > MAX_NAME {
        return Err(Problem::field(
            "name",
            format_args!("at most {MAX_NAME} characters long"),
        ));
    }
    Ok(name)
}
