//! `POST /api/sessions/{session_id}/suspend`: nothing further is done until the session is resumed.

mod operation;

use lambda_kit::http::{HttpReply, optional_fields};
use lambda_kit::{Action, App, Outbox, Problem, Request, now};
use session::Command;

pub use operation::operation;

/// Suspends an active session. A live run keeps the step that it is in, and stops after it.
///
/// # Errors
/// `session_not_found`, `session_not_active`, `run_cannot_pause`, `unavailable`.
pub async fn handle(app: &App, outbox: &Outbox, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    optional_fields(&request)?;

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
    use lambda_kit::Code::Unavailable;
    use lambda_kit::testing::changes;

    #[tokio::test]
    async fn it_needs_no_body() {
        changes(super::handle, &[("", Unavailable), ("{}", Unavailable)]).await;
    }
}
