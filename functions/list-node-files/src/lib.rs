//! `GET /api/nodes/{node_id}/files`: the files that the work of one node of a run has made.

mod operation;

use documents::Artifacts;
use lambda_kit::http::{HttpReply, node_id};
use lambda_kit::{App, Problem, Request};
use run_files::{RunFile, list};
use schemars::JsonSchema;
use serde::Serialize;

pub use operation::operation;

#[derive(Serialize, JsonSchema)]
struct NodeFiles {
    node_id: String,
    /// As in the list of the run's files.
    files: Vec<RunFile>,
    /// Whether the list of the run's files is cut, so that some may be missing.
    truncated: bool,
}

/// Answers with those files of `?run_id` that the node has made. A node without files, and one that
/// the run does not have, has an empty list.
///
/// # Errors
/// `run_not_found`, `invalid_query`, `unavailable`.
pub async fn handle(
    app: &App,
    artifacts: &Artifacts,
    request: Request,
) -> Result<HttpReply, Problem> {
    let run = app.admit_run_of_query(&request).await?;
    let node = node_id(&request);

    let list = list(app, artifacts, &run).await?;
    let of_node = |file: &RunFile| file.node_id.as_ref() == Some(&node);
    HttpReply::ok(&NodeFiles {
        files: list.files.into_iter().filter(of_node).collect(),
        node_id: node,
        truncated: list.truncated,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::Code;
    use lambda_kit::testing::{ID, Wire, expect, get, success};
    use run_files::testing::{listing, replies};

    #[tokio::test]
    async fn a_node_has_the_files_that_its_work_made() {
        let bucket = listing(&["step_1_a.py", "task.txt"]);
        let wire = Wire::new(replies(true));
        let request = get(&format!("run_id={ID}"));
        let reply = success(super::handle(&wire.app(), &bucket.artifacts, request).await);
        assert_eq!(reply["node_id"], "step_1");
        let files = reply["files"].as_array().unwrap();
        let names: Vec<_> = files.iter().map(|file| &file["file_name"]).collect();
        assert_eq!(names, ["answer.md", "step_1_a.py"]);
    }

    #[tokio::test]
    async fn the_run_must_be_named() {
        let (app, bucket) = (Wire::default().app(), listing(&[]));
        let handle = |request| super::handle(&app, &bucket.artifacts, request);
        let cases = [
            (get(""), Code::InvalidQuery),
            (get("run_id="), Code::InvalidQuery),
            (get("run_id=x"), Code::InvalidQuery),
            (get(&format!("run_id={ID}")), Code::Unavailable),
        ];
        expect(handle, cases).await;
    }
}
