//! The process: logs, configuration, clients, then messages until it ends.

use agents::{Agents, ModelSettings};
use documents::DocumentSettings;
use documents::reader::serve_if_child;
use executor::{Deadline, Executor, PageReader, Papers};
use lambda_kit::{Aws, EdgeSettings, Error, init_logs, metrics, sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // As the reader of a document this process ends here.
    serve_if_child();
    init_logs();
    let settings = EdgeSettings::from_env()?;
    let (models, documents) = (ModelSettings::from_env()?, DocumentSettings::from_env()?);
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&settings)?;
    let executor = Executor {
        outbox: aws.outbox(&settings, &sessions)?,
        sessions,
        agents: Agents::new(models.config_with(aws.shared()))?,
        artifacts: documents.artifacts(aws.shared())?,
        papers: Papers::new(&documents, &models)?,
        pages: PageReader::new(&documents, &models, &aws)?,
        max_cost_usd_per_run: models.max_cost_usd_per_run.map(|usd| usd.0),
    };
    let timeout = models.function_timeout.0;
    sqs::serve(|message, arrival| {
        metrics::taken_up(arrival.waited);
        executor.handle(message, Deadline::of(arrival.context, timeout))
    })
    .await
}
