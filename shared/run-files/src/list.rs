//! The list of a run's files.

use documents::{Artifacts, FilePath, Listed};
use lambda_kit::http::MARKDOWN;
use lambda_kit::{App, Problem};
use schemars::JsonSchema;
use serde::Serialize;
use session::Timestamp;
use session_manager::{FileOrigin, FoundRun, RunAnswer};

use crate::{ANSWER, is_answer};

/// The most files of a list: those that one request lists.
const MAX_FILES: usize = 1_000;

/// A list ends before this many bytes.
const LIST_BYTES: usize = 1024 * 1024;

/// The most bytes of a file besides its name and its path, which has the name once more.
const REST_BYTES: usize = 640;

/// A file that a run has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunFile {
    /// Unique among all files.
    pub id: String,
    /// Names the file in `GET /api/files/content` and `GET /api/files/download`. Its last part is
    /// the file's name.
    pub file_path: String,
    /// Unique among the files of its run.
    pub file_name: String,
    /// Its media type, without parameters.
    pub file_type: String,
    /// In bytes.
    pub size_bytes: u64,
    /// The node whose work stored it; null of a long task, and where the record does not say.
    pub node_id: Option<String>,
    /// The same node, under the name that costs give it.
    pub step_id: Option<String>,
    /// The agent whose answer it is part of; null of other files.
    pub agent_name: Option<String>,
    /// When it was written, or last replaced.
    pub created_at: Timestamp,
    /// The first event that names it: its `seq`, as text; null where the record does not say.
    pub event_id: Option<String>,
}

/// The files of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFileList {
    /// The run's answer, then the artifacts by name.
    pub files: Vec<RunFile>,
    /// Whether something is missing: files above 1,000 or 1 MiB, or the origins of files that the
    /// record names behind its first 4 MiB.
    pub truncated: bool,
}

/// The files of a run. They cost its record (at most 4 MiB) and one request to the bucket. Files of
/// a failed run are listed with it, not with the run that took over.
///
/// # Errors
/// `unavailable`.
pub async fn list(
    app: &App,
    artifacts: &Artifacts,
    run: &FoundRun,
) -> Result<RunFileList, Problem> {
    let folder = artifacts.of(&run.state.owner, run.session());
    let recorded = async { Ok::<_, Problem>(app.sessions.recorded_files(run).await?) };
    let listed = async {
        let listed = folder.of_run(run.row.id, MAX_FILES).await;
        listed.map_err(Problem::unavailable)
    };
    let (recorded, (listed, more)) = tokio::try_join!(recorded, listed)?;

    let has_own_answer = listed.iter().any(|file| is_answer(file.place.name()));
    let answer = recorded.answer().filter(|_| !has_own_answer);
    let answer = answer.map(|answer| of_answer(run, answer));
    let stored = listed.into_iter().map(|file| {
        let origin = recorded.origin(file.place.name().as_str());
        of_artifact(run, file, origin)
    });
    let all = answer.into_iter().chain(stored);
    let (files, cut) = fitting(all);
    Ok(RunFileList {
        files,
        truncated: more || cut || recorded.is_cut(),
    })
}

fn of_artifact(run: &FoundRun, file: Listed, origin: Option<&FileOrigin>) -> RunFile {
    let content_type = file.place.content_type();
    let name = file.place.name().to_string();
    let path = FilePath {
        session: run.session(),
        key: file.place,
    };
    described(
        &path.to_string(),
        name,
        content_type,
        file.size,
        file.written_at,
        origin,
    )
}

fn of_answer(run: &FoundRun, answer: &RunAnswer) -> RunFile {
    let path = format!("{}/{}/{ANSWER}", run.session(), run.row.id);
    let size = answer.text.len() as u64;
    described(
        &path,
        ANSWER.to_owned(),
        MARKDOWN,
        size,
        answer.at,
        Some(&answer.origin),
    )
}

fn described(
    path: &str,
    name: String,
    content_type: &str,
    size: u64,
    at: Timestamp,
    origin: Option<&FileOrigin>,
) -> RunFile {
    let node = origin.and_then(|origin| origin.node_id.clone());
    let essence = content_type.split(';').next().unwrap_or_default();
    RunFile {
        id: path.to_owned(),
        file_path: path.to_owned(),
        file_name: name,
        file_type: essence.to_owned(),
        size_bytes: size,
        step_id: node.clone(),
        node_id: node,
        agent_name: origin.and_then(|origin| origin.agent.clone()),
        created_at: at,
        event_id: origin.map(|origin| origin.seq.to_string()),
    }
}

/// The files that fit into a list, and whether some do not.
fn fitting(files: impl Iterator<Item = RunFile>) -> (Vec<RunFile>, bool) {
    let (mut fitting, mut bytes) = (Vec::new(), 0);
    for file in files {
        bytes += 2 * file.file_path.len() + file.file_name.len() + REST_BYTES;
        if bytes > LIST_BYTES {
            return (fitting, true);
        }
        fitting.push(file);
    }
    (fitting, false)
}

#[cfg(test)]
mod tests {
    use documents::testing::Bucket;
    use lambda_kit::Code;
    use lambda_kit::testing::{ID, Wire, get};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{listing, reads, replies};

    async fn listed(wire: &Wire, bucket: &Bucket) -> Result<Value, Problem> {
        let app = wire.app();
        let run = app.admit_run(&get("")).await?;
        let list = list(&app, &bucket.artifacts, &run).await?;
        Ok(json!({"files": list.files, "truncated": list.truncated}))
    }

    #[tokio::test]
    async fn a_completed_run_has_its_answer_before_its_artifacts() {
        let (wire, bucket) = (Wire::new(replies(true)), listing(&["step_1_a.py", "z.pdf"]));
        let list = listed(&wire, &bucket).await.unwrap();
        let answer = "An answer.\n\nFile: `step_1_a.py`\n";
        let path = |name: &str| format!("{ID}/{ID}/{name}");
        assert_eq!(
            list["files"][0],
            json!({
                "id": path("answer.md"), "file_path": path("answer.md"), "file_name": "answer.md",
                "file_type": "text/markdown", "size_bytes": answer.len(), "node_id": "step_1",
                "step_id": "step_1", "agent_name": "engineer",
                "created_at": list["files"][0]["created_at"], "event_id": "2",
            })
        );
        assert_eq!(
            list["files"][1],
            json!({
                "id": path("step_1_a.py"), "file_path": path("step_1_a.py"),
                "file_name": "step_1_a.py", "file_type": "text/plain", "size_bytes": 7,
                "node_id": "step_1", "step_id": "step_1", "agent_name": "engineer",
                "created_at": "2026-09-21T14:13:34.000000Z", "event_id": "2",
            })
        );
        let unknown = &list["files"][2];
        assert_eq!(
            (
                &unknown["file_type"],
                &unknown["node_id"],
                &unknown["event_id"]
            ),
            (&json!("application/pdf"), &Value::Null, &Value::Null)
        );
        assert_eq!(list["truncated"], false);
        assert_eq!(reads(&wire), ["GetItem", "GetItem", "Query", "Query"]);
        assert_eq!(bucket.asked().len(), 1);
    }

    #[tokio::test]
    async fn an_artifact_of_that_name_takes_the_place_of_the_answer() {
        let (wire, bucket) = (Wire::new(replies(true)), listing(&["answer.md"]));
        let list = listed(&wire, &bucket).await.unwrap();
        assert_eq!(list["files"].as_array().unwrap().len(), 1);
        assert_eq!(list["files"][0]["size_bytes"], 7);
    }

    #[tokio::test]
    async fn an_unfinished_run_has_no_answer() {
        let (wire, bucket) = (Wire::new(replies(false)), listing(&[]));
        assert_eq!(
            listed(&wire, &bucket).await.unwrap(),
            json!({"files": [], "truncated": false})
        );
    }

    #[tokio::test]
    async fn a_long_list_says_that_it_is_cut() {
        let names: Vec<String> = (0..1_000)
            .map(|n| format!("{n:04}{}", "é".repeat(250)))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let list = listed(&Wire::new(replies(true)), &listing(&names)).await;
        let list = list.unwrap();
        assert_eq!(list["truncated"], true);
        assert!(list.to_string().len() < LIST_BYTES);
        assert!(list["files"].as_array().unwrap().len() > 300);
    }

    #[tokio::test]
    async fn an_outage_of_table_or_bucket_is_no_empty_list() {
        let refused = listed(&Wire::new(replies(true)), &Bucket::silent()).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
        let refused = listed(&Wire::default(), &listing(&[])).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
    }
}
