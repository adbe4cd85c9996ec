//! `POST /api/sessions/{session_id}/suspend`: suspends a session.

mod operation;

use lambda_kit::http::{HttpReply, no_body};
use lambda_kit::{Action, App, Outbox, Problem, Request, now};
use session::Command;

pub use operation::operation;

/// Suspends an active session. A live run stops after its current step.
///
/// # Errors
/// `session_not_found`, `session_not_active`, `run_cannot_pause`, `unavailable`.
pub async fn handle(app: &App, outbox: &Outbox, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    no_body(&request)?;

    let command = Command::Suspend { run: None };
    let committed = app.change(outbox, &actor, session, &command, now()).await?;
    let message = match committed.state.unfinished_run() {
        Some(_) => "The session is suspended; its run stops after the step that it is in.",
        None => "The session is suspended.",
    };
    HttpReply::ok(&Action::done(session, message))
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::{idle, queued};
    use lambda_kit::testing::{changes, done, refuses};

    #[tokio::test]
    async fn it_suspends_a_session_and_needs_no_body() {
        refuses(super::handle, &[]).await;
        let reply = changes(super::handle, &queued().state, "").await;
        assert_eq!(
            reply,
            done("The session is suspended; its run stops after the step that it is in.")
        );
        let reply = changes(super::handle, &idle(), "{}").await;
        assert_eq!(reply, done("The session is suspended."));
    }
}
