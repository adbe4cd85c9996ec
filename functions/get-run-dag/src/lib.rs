//! `GET /api/runs/{run_id}/dag`: the graph of a run as it stands.

mod operation;

use lambda_kit::http::HttpReply;
use lambda_kit::{App, Problem, Request};

pub use operation::operation;

/// Answers with the graph of a run as it stands: its nodes with their times, summaries and errors.
/// The graph of a run whose record is longer than 9 MiB is `truncated`: nodes from the middle of
/// the record may then lack their ends.
///
/// # Errors
/// `run_not_found`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let run = app.admit_run(&request).await?;

    HttpReply::ok(&app.sessions.run_graph(&run).await?)
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::{entry_with, found, got, locator, queued, run};
    use lambda_kit::testing::{ID, reads_run};
    use serde_json::json;

    #[tokio::test]
    async fn a_run_that_nobody_has_begun_has_no_nodes() {
        let new = queued();
        let log = found(&[entry_with(&new.state, &new.events)]);
        let replies = [
            ("GetItem", got(&locator())),
            ("GetItem", got(&run(&new))),
            ("Query", log.clone()),
            ("Query", log),
        ];
        let reply = reads_run(super::handle, &[], replies).await;
        let empty =
            json!({"run_id": ID, "nodes": [], "edges": [], "levels": [], "truncated": false});
        assert_eq!(reply, empty);
    }
}
