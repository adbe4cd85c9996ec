//! `GET /api/sessions/{session_id}/runs/{run_id}/costs`: what a run has cost so far, by model, agent and step.

mod operation;

use lambda_kit::http::{HttpReply, run_id};
use lambda_kit::{App, Problem, Request};

pub use operation::operation;

/// Answers with the sums of the run's ledger.
///
/// # Errors
/// `session_not_found`, `run_not_found`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    let run = run_id(&request)?;

    HttpReply::ok(&app.sessions.run_costs(session, &actor, run).await?)
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::reads;

    #[tokio::test]
    async fn an_outage_is_no_empty_answer() {
        reads(super::handle, &[]).await;
    }
}
