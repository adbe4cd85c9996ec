//! `GET /api/sessions/{session_id}/runs/{run_id}/costs`: the costs of a run by model,
//! agent and step.

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
    use lambda_kit::testing::wire::{entry_with, found, got, queued, run};
    use lambda_kit::testing::{ID, reads};

    #[tokio::test]
    async fn a_run_without_calls_costs_nothing() {
        let new = queued();
        let log = found(&[entry_with(&new.state, &new.events)]);
        let replies = [
            ("Query", log.clone()),
            ("GetItem", got(&run(&new))),
            ("Query", log),
        ];
        let reply = reads(super::handle, &[], replies).await;
        assert_eq!(reply["run_id"], ID);
        assert_eq!(reply["record_count"], 0);
        assert_eq!(reply["total_cost_usd"], 0.0);
    }
}
