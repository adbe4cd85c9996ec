//! `POST /api/sessions/{session_id}/runs`: starts a run in an existing session.

mod operation;

use agents::Models;
use documents::{ArtifactKey, Artifacts, SessionFiles};
use lambda_kit::api::RunConfig;
use lambda_kit::http::{self, HttpReply};
use lambda_kit::task::continued;
use lambda_kit::{App, ClientConfig, Outbox, Problem, Request, Task, now};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use session::{NewRun, RowChange, RunRow, State};
use session_manager::{ChangeError, Committed};

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
/// `too_many_runs`, `budget_spent`, `too_large`, `invalid_config`, `idempotency_key_reused`, and
/// those of every route.
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
    let (config, now) = (config.into_text(), now());
    let (sessions, key) = (&app.sessions, key.as_ref());
    let whole = task
        .is_long()
        .then(|| WholeTask::of(tasks, &state, &mut run));
    let whole = whole.transpose()?;
    // What belongs to the run is stored only once it is admitted.
    let started = match sessions.admit_run(&state, &run, key, now).await {
        Ok(()) => {
            let starting = sessions.start_run(state, &run, Some(&config), key, now);
            match &whole {
                Some(whole) => {
                    whole.keep(&task).await?;
                    whole.settle(starting.await).await
                }
                None => starting.await,
            }
        }
        Err(error) => Err(error),
    };
    match started {
        Ok(committed) => {
            outbox.publish(&committed, now).await;
            HttpReply::accepted(row(&committed)?)
        }
        Err(error) => {
            let first = http::first_time(key, error)?;
            HttpReply::accepted(&app.sessions.as_started(&first).await?)
        }
    }
}

/// The file of a long task. It is stored before the run that names it is committed, and only for a
/// run that can start.
struct WholeTask {
    files: SessionFiles,
    place: ArtifactKey,
}

impl WholeTask {
    fn of(tasks: &Tasks, state: &State, run: &mut NewRun) -> Result<Self, Problem> {
        run.artifact = Some(WHOLE_TASK.to_owned());
        let name = WHOLE_TASK.parse().map_err(Problem::internal)?;
        Ok(Self {
            files: tasks.artifacts.of(&state.owner, state.session_id),
            place: ArtifactKey::Run(run.id, name),
        })
    }

    async fn keep(&self, task: &Task) -> Result<(), Problem> {
        let kept = self.files.put(&self.place, task.text().to_owned()).await;
        kept.map_err(Problem::unavailable)
    }

    /// Takes the file back when another request was first. After any other error the run may have
    /// been committed.
    async fn settle(
        &self,
        started: Result<Committed, ChangeError>,
    ) -> Result<Committed, ChangeError> {
        if let Err(ChangeError::Refused(..) | ChangeError::KeyTaken(_)) = &started
            && let Err(error) = self.files.delete(&self.place).await
        {
            tracing::warn!(place = %self.place, causes = lambda_kit::causes(&error), "task of no run not deleted");
        }
        started
    }
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
    use lambda_kit::testing::wire::{entry, found, got, idle, lost_to, no_place, queued};
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
    async fn beyond_the_limit_of_live_runs_nothing_is_stored() {
        let reads = [
            ("Query", found(&[entry(&idle())])),
            ("GetItem", got(&json!({"config": "{}"}))),
        ];
        let wire = Wire::new(reads.into_iter().chain(no_place()));
        let (reply, stored) = long_in(&wire.app_with_a_limit(), &wire).await;
        let problem = reply.unwrap_err();
        assert_eq!((problem.code(), problem.status()), (Code::TooManyRuns, 429));
        assert_eq!(
            problem.to_string(),
            "At most 1 of your runs may be queued or running; try again when one has ended."
        );
        assert!(stored.is_empty(), "{stored:?}");
        let asked = wire.asked();
        assert_eq!(asked, ["Query", "GetItem", "UpdateItem", "BatchGetItem"]);
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

    /// A start of a long task, with what the bucket was asked for.
    async fn long(wire: &Wire) -> (Result<HttpReply, Problem>, Vec<String>) {
        long_in(&wire.app(), wire).await
    }

    async fn long_in(app: &App, wire: &Wire) -> (Result<HttpReply, Problem>, Vec<String>) {
        let bucket = Bucket::new(|_, _| (200, "application/xml", String::new()));
        let tasks = Tasks {
            artifacts: bucket.artifacts.clone(),
            ..tasks()
        };
        let request = post(json!({"task": "x".repeat(40 * 1024)}).to_string());
        let reply = handle(app, &wire.outbox(app), &tasks, request).await;
        let methods = bucket.asked().into_iter();
        let methods = methods.map(|asked| asked.split(' ').next().unwrap().to_owned());
        (reply, methods.collect())
    }

    #[tokio::test]
    async fn a_long_task_that_is_refused_is_not_stored() {
        let wire = Wire::new([
            ("Query", found(&[entry(&queued().state)])),
            ("GetItem", got(&json!({"config": "{}"}))),
        ]);
        let (reply, stored) = long(&wire).await;
        assert_eq!(reply.unwrap_err().code(), Code::RunUnfinished);
        assert!(stored.is_empty(), "{stored:?}");
        assert_eq!(wire.asked(), ["Query", "GetItem"]);
    }

    #[tokio::test]
    async fn a_long_task_that_loses_a_race_is_taken_back() {
        let wire = Wire::new([
            ("Query", found(&[entry(&idle())])),
            ("GetItem", got(&json!({"config": "{}"}))),
            ("TransactWriteItems", lost_to(&entry(&queued().state))),
        ]);
        let (reply, stored) = long(&wire).await;
        assert_eq!(reply.unwrap_err().code(), Code::RunUnfinished);
        assert_eq!(stored, ["PUT", "DELETE"]);
    }

    #[tokio::test]
    async fn a_long_task_stays_where_its_run_may_have_begun() {
        let wire = Wire::new([
            ("Query", found(&[entry(&idle())])),
            ("GetItem", got(&json!({"config": "{}"}))),
        ]);
        let (reply, stored) = long(&wire).await;
        assert_eq!(reply.unwrap_err().code(), Code::Unavailable);
        assert_eq!(stored, ["PUT"]);
    }
}
