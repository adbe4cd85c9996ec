//! `POST /api/sessions/{session_id}/resume`: resumes a suspended session.

mod operation;

use lambda_kit::http::{HttpReply, optional_body};
use lambda_kit::{Action, App, Code, Outbox, Problem, Request, now};
use schemars::JsonSchema;
use serde::Deserialize;
use session::{CONTENT_BYTES, Command};

pub use operation::operation;

/// An addition to the conversation.
#[derive(Deserialize, JsonSchema)]
struct Resume {
    /// Becomes a message of the history; at most 32 KiB.
    additional_context: Option<String>,
}

/// Resumes a suspended session. A paused run continues from its last saved step; a new run
/// continues a failed one.
///
/// # Errors
/// `session_not_found`, `session_not_suspended`, `mode_without_resume`, `approval_open`,
/// `nothing_to_resume`, `too_many_runs`, `budget_spent`, `too_large`, `unavailable`.
pub async fn handle(app: &App, outbox: &Outbox, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    let context = context(optional_body(&request)?)?;

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

/// The addition to the conversation; white space counts as none.
fn context(body: Resume) -> Result<Option<String>, Problem> {
    let text = body.additional_context;
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
    use lambda_kit::testing::wire::{after, idle, queued};
    use lambda_kit::testing::{changes, done, refuses};

    #[tokio::test]
    async fn an_addition_is_text_of_at_most_32_kib() {
        let suspended = after(&queued().state, &Command::Suspend { run: None });
        let saying = |text: String| format!(r#"{{"additional_context": "{text}"}}"#);
        let long = saying("x".repeat(CONTENT_BYTES + 1));
        let refused = [
            (long.as_str(), Code::TooLarge),
            (r#"{"additional_context": 1}"#, Code::InvalidField),
        ];
        refuses(handle, &refused).await;
        let longest = saying("x".repeat(CONTENT_BYTES));
        for body in ["", r#"{"additional_context": null}"#, &longest] {
            let reply = changes(handle, &suspended, body).await;
            let message = "The session is resumed; its run goes on from the last saved step.";
            assert_eq!(reply, done(message));
        }
    }

    #[tokio::test]
    async fn a_session_without_a_run_is_resumed_too() {
        let suspended = after(&idle(), &Command::Suspend { run: None });
        let reply = changes(handle, &suspended, "{}").await;
        assert_eq!(reply["message"], "The session is resumed.");
    }
}
