//! `POST /api/sessions/{session_id}/runs`: starts a run in an existing session.

mod operation;

use agents::Models;
use documents::{ArtifactKey, Artifacts};
use lambda_kit::api::RunConfig;
use lambda_kit::http::{self, HttpReply};
use lambda_kit::task::continued;
use lambda_kit::{App, ClientConfig, Outbox, Problem, Request, Task, now};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use session::{NewRun, RowChange, RunRow, State};
use session_manager::Committed;

pub use operation::operation;

/// The artifact that holds the whole of a long task.
const WHOLE_TASK: &str = "task.txt";

/// A task for a session.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewRun")]
struct TaskBody {
    /// What is to be done; at most 64 KiB.
    #[schemars(required, regex(pattern = r"\S"))]
    task: Option<String>,
    /// Goes over the session's, key by key.
    #[schemars(with = "Option<RunConfig>")]
    config: Option<Box<RawValue>>,
}

/// The services of a task.
#[derive(Debug, Clone)]
pub struct Tasks {
    /// The bucket, which has long tasks.
    pub artifacts: Artifacts,
    /// The models, whose names runs show.
    pub models: Models,
}

/// Starts a run. The same `Idempotency-Key` and body give the first answer again.
///
/// # Errors
/// `session_not_found`, `run_unfinished`, `mode_cannot_continue`, `mode_mismatch`, `empty_task`,
/// `too_large`, `invalid_config`, `idempotency_key_reused`, and those of every route.
pub async fn handle(
    app: &App,
    outbox: &Outbox,
    tasks: &Tasks,
    request: Request,
) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    let body: TaskBody = http::body(&request)?;
    let task = Task::new(body.task)?;
    let own = ClientConfig::of(body.config)?;

    let state = app.sessions.state(session, &actor).await?;
    let key = http::request_key(&request, &state.owner)?;
    let stored = ClientConfig::stored(app.sessions.config(session).await?);
    let config = continued(&state, &own, &stored)?;
    let models = &tasks.models;
    let settings = models.settings_to_start(state.mode, &config.value()?)?;
    let mut run = task.run(&settings, models.of_run(&settings), None);
    keep_whole(tasks, &state, &task, &mut run).await?;

    let (config, now) = (config.into_text(), now());
    let started = app
        .sessions
        .start_run(state, &run, Some(&config), key.as_ref(), now);
    match started.await {
        Ok(committed) => {
            outbox.publish(&committed, now).await;
            HttpReply::accepted(row(&committed)?)
        }
        Err(error) => {
            let first = http::first_time(key.as_ref(), error)?;
            HttpReply::accepted(&app.sessions.as_started(&first).await?)
        }
    }
}

/// Puts a long task into the bucket, before the run that names it is committed.
async fn keep_whole(
    tasks: &Tasks,
    state: &State,
    task: &Task,
    run: &mut NewRun,
) -> Result<(), Problem> {
    if task.is_long() {
        let name = WHOLE_TASK.parse().map_err(Problem::internal)?;
        let files = tasks.artifacts.of(&state.owner, state.session_id);
        let whole = task.text().to_owned();
        let kept = files.put(&ArtifactKey::Run(run.id, name), whole).await;
        kept.map_err(Problem::unavailable)?;
        run.artifact = Some(WHOLE_TASK.to_owned());
    }
    Ok(())
}

fn row(committed: &Committed) -> Result<&RunRow, Problem> {
    let row = committed
        .row_changes
        .iter()
        .find_map(|change| match change {
            RowChange::RunStarted(row) => Some(row),
            _ => None,
        });
    row.ok_or_else(|| Problem::internal("a run was started without its row"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agents::ModelSettings;
    use documents::testing::Bucket;
    use lambda_kit::Code;
    use lambda_kit::testing::wire::{entry, found, got, idle};
    use lambda_kit::testing::{Wire, post, refuses, success};
    use serde_json::json;

    fn tasks() -> Tasks {
        Tasks {
            artifacts: Bucket::silent().artifacts,
            models: Models::new(&ModelSettings::read(|_| None).unwrap()).unwrap(),
        }
    }

    #[tokio::test]
    async fn a_task_is_text_of_at_most_64_kib() {
        let tasks = tasks();
        let bodies = [
            ("", Code::MalformedJson),
            ("{}", Code::EmptyTask),
            (r#"{"task": null}"#, Code::EmptyTask),
            (r#"{"task": " \n"}"#, Code::EmptyTask),
            (r#"{"task": 1}"#, Code::InvalidField),
            (r#"{"task": "t", "config": 1}"#, Code::InvalidField),
            (
                &format!(r#"{{"task": "{}"}}"#, "x".repeat(64 * 1024 + 1)),
                Code::TooLarge,
            ),
        ];
        let start =
            async |app: &App, outbox: &Outbox, request| handle(app, outbox, &tasks, request).await;
        refuses(start, &bodies).await;
    }

    #[tokio::test]
    async fn a_run_is_started_by_two_reads_and_one_write() {
        let wire = Wire::new([
            ("Query", found(&[entry(&idle())])),
            ("GetItem", got(&json!({"config": r#"{"maxRounds": 3}"#}))),
            ("TransactWriteItems", json!({})),
            ("Query", found(&[])),
        ]);
        let app = wire.app();
        let request = post(r#"{"task": "Explain the tides."}"#);
        let reply = handle(&app, &wire.outbox(&app), &tasks(), request).await;
        let reply = success(reply);
        assert_eq!(reply["task_description"], "Explain the tides.");
        assert_eq!(reply["status"], "queued");
        assert_eq!(reply["agent"], "planner");
        let asked = wire.asked();
        assert_eq!(asked, ["Query", "GetItem", "TransactWriteItems", "Query"]);
    }
}
