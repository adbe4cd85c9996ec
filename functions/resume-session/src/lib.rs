//! `POST /api/sessions/{session_id}/resume`: a suspended session goes on.

mod operation;

use lambda_kit::http::{HttpReply, optional_fields};
use lambda_kit::{Action, App, Code, Outbox, Problem, Request, now};
use session::{CONTENT_BYTES, Command};

pub use operation::operation;

/// Resumes a suspended session: a paused run goes on from its last saved step, a failed one is taken over by a new run.
///
/// # Errors
/// `session_not_found`, `session_not_suspended`, `mode_without_resume`, `approval_open`, `nothing_to_resume`, `too_large`,
/// `unavailable`.
pub async fn handle(app: &App, outbox: &Outbox, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    let context = context(&request)?;

    let state = app.sessions.state(session, &actor).await?;
    let command = Command::Resume {
        run: None,
        context,
        takeover: app.takeover(&state).await?,
    };
    let committed = app.change_on(outbox, state, &command, now()).await?;
    let message = match committed.state.unfinished_run() {
        Some(_) => "The session is resumed; its run goes on from the last saved step.",
        None => "The session is resumed.",
    };
    HttpReply::ok(&Action::done(session, message))
}

/// What the client adds to the conversation; white space is nothing.
fn context(request: &Request) -> Result<Option<String>, Problem> {
    let text = optional_fields(request)?.text("additional_context")?;
    let text = text.filter(|text| !text.trim().is_empty());
    if text.as_ref().is_some_and(|text| text.len() > CONTENT_BYTES) {
        let detail = "`additional_context` is larger than 32 KiB.";
        return Err(Problem::new(Code::TooLarge, detail));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_kit::testing::changes;

    #[tokio::test]
    async fn what_is_added_is_text_of_at_most_32_kib() {
        let saying = |text: String| format!(r#"{{"additional_context": "{text}"}}"#);
        let bodies = [
            ("", Code::Unavailable),
            (r#"{"additional_context": null}"#, Code::Unavailable),
            (&saying("x".repeat(CONTENT_BYTES)), Code::Unavailable),
            (&saying("x".repeat(CONTENT_BYTES + 1)), Code::TooLarge),
            (r#"{"additional_context": 1}"#, Code::InvalidField),
        ];
        changes(handle, &bodies).await;
    }
}
