//! An executor in this process with the stack's table, for conditions that depend on its
//! environment or settings and that no task can cause.
//!
//! Its agents use no model unless the settings name one. It sends no message, so that no other
//! worker processes its sessions.

use std::time::Duration;

use agents::{Agents, ModelSettings};
use document_executor::{PageReader, Papers, ReaderTasks};
use documents::DocumentSettings;
use executor::{Deadline, DocumentTasks, Executor, TextTasks};
use lambda_kit::{Aws, EdgeSettings, Outbox, QueueMessage, now};
use session::{NewRun, RunId, SessionId, State};
use session_manager::{Actor, SessionManager};
use tests::stack::stack;
use uuid::Uuid;

/// A worker for models with these settings and the table at this endpoint.
pub async fn executor(endpoint: &str, settings: &[(&str, &str)]) -> Executor<TextTasks> {
    with_tasks(endpoint, settings, |_, _, _, _| TextTasks).await
}

/// A worker for documents with these settings.
pub async fn document_executor(settings: &[(&str, &str)]) -> Executor<ReaderTasks> {
    let endpoint = stack().get("AWS_ENDPOINT_URL_DYNAMODB");
    with_tasks(endpoint, settings, |documents, models, aws, sessions| {
        ReaderTasks {
            papers: Papers::new(documents, models, sessions).unwrap(),
            pages: PageReader::new(documents, models, aws).unwrap(),
        }
    })
    .await
}

async fn with_tasks<T>(
    endpoint: &str,
    settings: &[(&str, &str)],
    tasks: impl FnOnce(&DocumentSettings, &ModelSettings, &Aws, &SessionManager) -> T,
) -> Executor<T> {
    let get = |name: &str| {
        let setting = settings.iter().find(|(known, _)| *known == name);
        match (setting, name) {
            (Some((_, value)), _) => Some((*value).into()),
            // Not reachable: the sessions have no followers and no long contents, and no run
            // continues in another message.
            (None, "QUEUE_URL" | "DOCUMENT_QUEUE_URL" | "PURGE_QUEUE_URL" | "WS_CALLBACK_URL") => {
                Some("http://127.0.0.1:9/nowhere".into())
            }
            (None, "BUCKET_NAME") => Some("nowhere".into()),
            _ => None,
        }
    };
    let edge = EdgeSettings::read(get).unwrap();
    let models = ModelSettings::read(get).unwrap();
    let documents = DocumentSettings::read(get).unwrap();
    let aws = Aws::from_env().await;
    let client = stack().dynamodb_at(endpoint).await;
    let sessions = SessionManager::new(client, stack().get("TABLE_NAME"), edge.rules());
    let sessions = sessions.with_limits(edge.owner_limits());
    let push = aws.push(&edge, &sessions).unwrap();
    Executor {
        outbox: Outbox::new(push, aws.queues(&edge).unwrap()),
        agents: Agents::new(models.config()).unwrap(),
        artifacts: documents.artifacts(aws.shared()).unwrap(),
        tasks: tasks(&documents, &models, &aws, &sessions),
        sessions,
        max_cost_usd_per_run: models.max_cost_usd_per_run.map(|usd| usd.0),
    }
}

/// A run with this task.
pub fn run(task: &str) -> NewRun {
    NewRun {
        id: RunId::new(Uuid::now_v7()),
        task: task.into(),
        artifact: None,
        task_id: None,
        agent: "researcher".into(),
        model: "offline".into(),
    }
}

/// Executes the session's run until it ends, waits, or would continue in another message; returns
/// the session after that.
pub async fn work<T: DocumentTasks>(executor: &Executor<T>, state: State) -> State {
    let wake = state.wake(now()).unwrap();
    let deadline = Deadline::after(Duration::from_secs(170));
    let message = Ok(QueueMessage::Wake(wake));
    executor.handle(message, deadline).await.unwrap();
    state_of(executor, state.session_id).await
}

/// The current state of a session.
pub async fn state_of<T>(executor: &Executor<T>, session: SessionId) -> State {
    let sessions = &executor.sessions;
    sessions.state(session, &Actor::System).await.unwrap()
}
