//! The process: logs, configuration, clients, then messages until it ends.

use std::process::ExitCode;

use agents::{Agents, ModelSettings};
use document_executor::{PageReader, Papers, ReaderTasks};
use documents::DocumentSettings;
use documents::reader::serve_if_child;
use executor::{Deadline, Executor};
use lambda_kit::{Aws, EdgeSettings, Error, metrics, run_logged, sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // As the reader of a document this process ends here.
    serve_if_child();
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let settings = EdgeSettings::from_env()?;
    let (models, documents) = (ModelSettings::from_env()?, DocumentSettings::from_env()?);
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&settings)?;
    let executor = Executor {
        outbox: aws.outbox(&settings, &sessions)?,
        agents: Agents::new(models.config_with(aws.shared()))?,
        artifacts: documents.artifacts(aws.shared())?,
        max_cost_usd_per_run: models.max_cost_usd_per_run.map(|usd| usd.0),
        tasks: ReaderTasks {
            papers: Papers::new(&documents, &models, &sessions)?,
            pages: PageReader::new(&documents, &models, &aws)?,
        },
        sessions,
    };
    let timeout = models.function_timeout.0;
    sqs::serve(|message, arrival| {
        metrics::taken_up(arrival.waited);
        executor.handle(message, Deadline::of(arrival.context, timeout))
    })
    .await
}
