//! `GET /api/runs/{run_id}/console-log`: the events of a run as lines of text.

mod operation;

use lambda_kit::http::{HttpReply, Query};
use lambda_kit::{App, Problem, Request};

pub use operation::operation;

const TAIL: u16 = 1_000;
const MAX_TAIL: u16 = 10_000;

/// Answers with the newest `?tail` events of a run, one line each. The lines are at most 1 MiB and
/// their events at most 8 MiB; fewer lines than that allows are `truncated`.
///
/// # Errors
/// `run_not_found`, `invalid_query`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let query = Query::of(&request);
    let tail = query.count("tail", MAX_TAIL, TAIL)?;
    let run = app.admit_run(&request).await?;

    HttpReply::ok(&app.sessions.console_log(&run, tail).await?)
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::{entry_with, found, got, locator, queued, run};
    use lambda_kit::testing::{ID, reads_run};
    use serde_json::json;

    #[tokio::test]
    async fn it_shows_a_line_for_each_event() {
        let new = queued();
        let log = found(&[entry_with(&new.state, &new.events)]);
        let replies = [
            ("GetItem", got(&locator())),
            ("GetItem", got(&run(&new))),
            ("Query", log.clone()),
            ("Query", log),
        ];
        let bad = ["tail=0", "tail=10001", "tail=all"];
        let reply = reads_run(super::handle, &bad, replies).await;
        let at = "2026-09-21T14:13:20.000000Z";
        assert_eq!(
            reply,
            json!({
                "run_id": ID, "log_path": format!("runs/{ID}/console.log"),
                "total_lines": 2, "returned_lines": 2, "truncated": false,
                "content": format!("{at} status Task accepted.\n{at} user_message The user: Explain the tides."),
            })
        );
    }
}
