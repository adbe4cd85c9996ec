//! `POST /api/sessions/{session_id}/runs/{run_id}/cancel`: ends a run.

mod operation;

use lambda_kit::http::{HttpReply, no_body, run_id};
use lambda_kit::{Action, App, Code, Outbox, Problem, Request, now};
use session::{Command, Refusal, RunId, SessionId};

pub use operation::operation;

/// Cancels a run that has not ended. A worker of the run stops at its next commit.
///
/// # Errors
/// `session_not_found`, `run_not_found`, `run_ended`, `unavailable`.
pub async fn handle(app: &App, outbox: &Outbox, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    let run = run_id(&request)?;
    no_body(&request)?;

    let command = Command::Cancel { run: Some(run) };
    match app.change(outbox, &actor, session, &command, now()).await {
        Ok(_) => HttpReply::ok(&Action::done(session, "The run is cancelled.")),
        Err(problem) if problem.code() == Code::RunNotFound => {
            Err(earlier(app, session, run).await?.unwrap_or(problem))
        }
        Err(problem) => Err(problem),
    }
}

/// The refusal for an earlier run: a session's state has its newest run alone, and the row of an
/// earlier one has its end.
async fn earlier(app: &App, session: SessionId, run: RunId) -> Result<Option<Problem>, Problem> {
    let row = app.sessions.run(session, run).await?;
    Ok(row.map(|row| Refusal::RunEnded(row.status).into()))
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::queued;
    use lambda_kit::testing::{changes, done, refuses};

    #[tokio::test]
    async fn it_cancels_a_run_and_needs_no_body() {
        refuses(super::handle, &[]).await;
        let reply = changes(super::handle, &queued().state, "").await;
        assert_eq!(reply, done("The run is cancelled."));
    }
}
