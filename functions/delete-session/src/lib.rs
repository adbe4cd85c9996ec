//! `DELETE /api/sessions/{session_id}`: from the answer on, the session does not exist.

mod operation;

use lambda_kit::http::{HttpReply, optional_fields};
use lambda_kit::{Action, App, Outbox, Problem, Request, now};
use session::Command;

pub use operation::operation;

/// Deletes a session, and stops its run. What it held is purged later, when no worker can be left that still writes.
///
/// # Errors
/// `session_not_found`, `unavailable`.
pub async fn handle(app: &App, outbox: &Outbox, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    optional_fields(&request)?;
    app.change(outbox, &actor, session, &Command::Delete, now())
        .await?;
    HttpReply::ok(&Action::done(session, "The session is deleted."))
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
