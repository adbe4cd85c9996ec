//! `POST /api/sessions/{session_id}/runs/{run_id}/cancel`: the only thing that ends a run from outside.

mod operation;

use lambda_kit::http::{HttpReply, optional_fields, run_id};
use lambda_kit::{Action, App, Code, Outbox, Problem, Request, now};
use session::{Command, Refusal, RunId, SessionId};

pub use operation::operation;

/// Cancels a run that has not ended. A worker that is at it learns so at its next write.
///
/// # Errors
/// `session_not_found`, `run_not_found`, `run_ended`, `unavailable`.
pub async fn handle(app: &App, outbox: &Outbox, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    let run = run_id(&request)?;
    optional_fields(&request)?;

    let command = Command::Cancel { run: Some(run) };
    match app.change(outbox, &actor, session, &command, now()).await {
        Ok(_) => HttpReply::ok(&Action::done(session, "The run is cancelled.")),
        Err(problem) if problem.code() == Code::RunNotFound => {
            Err(earlier(app, session, run).await?.unwrap_or(problem))
        }
        Err(problem) => Err(problem),
    }
}

/// A session's state knows its newest run alone; an earlier one has ended, and its row says how.
async fn earlier(app: &App, session: SessionId, run: RunId) -> Result<Option<Problem>, Problem> {
    let row = app.sessions.run(session, run).await?;
    Ok(row.map(|row| Refusal::RunEnded(row.status).into()))
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
