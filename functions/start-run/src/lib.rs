//! `POST /api/sessions/{session_id}/runs`: a task for a session that stands. Its work begins when a worker takes it up.

mod operation;

use agents::Models;
use documents::{ArtifactKey, Artifacts};
use lambda_kit::http::{self, HttpReply};
use lambda_kit::task::continued;
use lambda_kit::{App, ClientConfig, Outbox, Problem, Request, Task, now};
use session::{NewRun, RowChange, RunRow, State};
use session_manager::Committed;

pub use operation::operation;

/// The artifact that holds the whole of a long task.
const WHOLE_TASK: &str = "task.txt";

/// What a task needs beside its session.
#[derive(Debug, Clone)]
pub struct Tasks {
    /// Where long tasks go.
    pub artifacts: Artifacts,
    /// Whose name a run shows.
    pub models: Models,
}

/// Starts a run. The same `Idempotency-Key` and body give the first answer again.
///
/// # Errors
/// `session_not_found`, `run_unfinished`, `mode_cannot_continue`, `mode_mismatch`, `empty_task`, `too_large`,
/// `invalid_config`, `idempotency_key_reused`, and those of every route.
pub async fn handle(
    app: &App,
    outbox: &Outbox,
    tasks: &Tasks,
    request: Request,
) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    let body = http::fields(&request)?;
    let task = Task::new(body.text("task")?)?;
    let own = ClientConfig::of(&body)?;

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

/// Puts a long task into the bucket, before anything points there.
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
        .find_map(|record| match record {
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
    use lambda_kit::testing::changes;

    #[tokio::test]
    async fn a_task_is_text_of_at_most_64_kib() {
        let tasks = Tasks {
            artifacts: Bucket::silent().artifacts,
            models: Models::new(&ModelSettings::read(|_| None).unwrap()).unwrap(),
        };
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
            (r#"{"task": "t"}"#, Code::Unavailable),
        ];
        let start =
            async |app: &App, outbox: &Outbox, request| handle(app, outbox, &tasks, request).await;
        changes(start, &bodies).await;
    }
}
