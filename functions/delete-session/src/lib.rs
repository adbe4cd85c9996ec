//! `DELETE /api/sessions/{session_id}`: deletes a session.

mod operation;

use lambda_kit::http::{HttpReply, no_body};
use lambda_kit::{Action, App, Outbox, Problem, Request, now};
use session::Command;

pub use operation::operation;

/// Deletes a session and stops its run. Its items and files are purged later, when no worker can
/// still write.
///
/// # Errors
/// `session_not_found`, `unavailable`.
pub async fn handle(app: &App, outbox: &Outbox, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    no_body(&request)?;
    app.change(outbox, &actor, session, &Command::Delete, now())
        .await?;
    HttpReply::ok(&Action::done(session, "The session is deleted."))
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::queued;
    use lambda_kit::testing::{changes, done, refuses};

    #[tokio::test]
    async fn it_deletes_a_session_and_needs_no_body() {
        refuses(super::handle, &[]).await;
        let reply = changes(super::handle, &queued().state, "{}").await;
        assert_eq!(reply, done("The session is deleted."));
    }
}
