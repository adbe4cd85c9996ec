//! The real executor in this process. Queue, connections and bucket are unreachable, because the
//! sessions of the benchmark have no followers and no long contents.

use agents::{Agents, ModelConfig};
use documents::DocumentSettings;
use executor::{Executor, TextTasks};
use lambda_kit::{Aws, EdgeSettings, Outbox};
use session_manager::SessionManager;

use crate::Result;

/// An executor with these sessions and models.
pub async fn executor(
    sessions: &SessionManager,
    models: ModelConfig,
) -> Result<Executor<TextTasks>> {
    let nowhere = |name: &str| match name {
        "WS_CALLBACK_URL" => Some("http://127.0.0.1:9".to_owned()),
        "BUCKET_NAME" => Some("none".to_owned()),
        _ => None,
    };
    let (edge, aws) = (EdgeSettings::read(nowhere)?, Aws::from_env().await);
    let documents = DocumentSettings::read(nowhere)?;
    Ok(Executor {
        sessions: sessions.clone(),
        agents: Agents::new(models)?,
        artifacts: documents.artifacts(aws.shared())?,
        outbox: Outbox::without_queues(aws.push(&edge, sessions)?),
        max_cost_usd_per_run: None,
        tasks: TextTasks,
    })
}
