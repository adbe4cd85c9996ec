//! `GET /api/runs/{run_id}/files`: the files that a run has made, and its answer as one of them.

mod operation;

use documents::Artifacts;
use lambda_kit::http::HttpReply;
use lambda_kit::{App, Problem, Request};
use run_files::{RunFile, list};
use schemars::JsonSchema;
use serde::Serialize;
use session::RunId;

pub use operation::operation;

#[derive(Serialize, JsonSchema)]
struct RunFiles {
    run_id: RunId,
    /// The answer of a run that has completed, then its artifacts by name.
    files: Vec<RunFile>,
    /// Whether there are more: above 1,000 files or 1 MiB.
    truncated: bool,
}

/// Answers with the files of the run. Once it has completed, its answer is among them as
/// `answer.md`, unless the run made an artifact of that name.
///
/// # Errors
/// `run_not_found`, `unavailable`.
pub async fn handle(
    app: &App,
    artifacts: &Artifacts,
    request: Request,
) -> Result<HttpReply, Problem> {
    let run = app.admit_run(&request).await?;

    let list = list(app, artifacts, &run).await?;
    HttpReply::ok(&RunFiles {
        run_id: run.row.id,
        files: list.files,
        truncated: list.truncated,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::Code;
    use lambda_kit::testing::{ID, Wire, expect, get, of_session, success};
    use run_files::testing::{listing, replies};

    #[tokio::test]
    async fn the_files_of_a_run_are_listed_with_its_answer() {
        let (wire, bucket) = (Wire::new(replies(true)), listing(&["b.md"]));
        let reply = success(super::handle(&wire.app(), &bucket.artifacts, get("")).await);
        assert_eq!(reply["run_id"], ID);
        assert_eq!(reply["files"][0]["file_name"], "answer.md");
        assert_eq!(reply["files"][1]["file_name"], "b.md");
        assert_eq!(reply["truncated"], false);
    }

    #[tokio::test]
    async fn an_unknown_run_and_an_outage_differ() {
        let (app, bucket) = (Wire::default().app(), listing(&[]));
        let handle = |request| super::handle(&app, &bucket.artifacts, request);
        let cases = [
            (of_session("x"), Code::RunNotFound),
            (get(""), Code::Unavailable),
        ];
        expect(handle, cases).await;
        assert!(bucket.asked().is_empty());
    }
}
