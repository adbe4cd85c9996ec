//! `GET /api/runs/{run_id}/costs`: the costs of a run by model, agent and step.

mod operation;

use lambda_kit::http::HttpReply;
use lambda_kit::{App, Problem, Request};

pub use operation::operation;

/// Answers with the sums of the run's ledger, as the route below its session.
///
/// # Errors
/// `run_not_found`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let run = app.admit_run(&request).await?;

    HttpReply::ok(&app.sessions.costs_of(&run).await?)
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::{entry_with, found, got, locator, queued, run};
    use lambda_kit::testing::{ID, reads_run};

    #[tokio::test]
    async fn a_run_without_calls_costs_nothing() {
        let new = queued();
        let log = found(&[entry_with(&new.state, &new.events)]);
        let replies = [
            ("GetItem", got(&locator())),
            ("GetItem", got(&run(&new))),
            ("Query", log.clone()),
            ("Query", log),
        ];
        let reply = reads_run(super::handle, &[], replies).await;
        assert_eq!(reply["run_id"], ID);
        assert_eq!(reply["record_count"], 0);
        assert_eq!(reply["total_cost_usd"], 0.0);
    }
}
