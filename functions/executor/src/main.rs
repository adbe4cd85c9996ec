//! The process: logs, configuration, clients, then messages until it ends.

use agents::Agents;
use documents::reader::serve_if_child;
use executor::{Deadline, Executor, PageReader, Papers};
use lambda_kit::{Aws, Config, Error, batch, init_logs, metrics};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // As the reader of a document this process ends here.
    serve_if_child();
    init_logs();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&config)?;
    let executor = Executor {
        outbox: aws.outbox(&config, &sessions)?,
        sessions,
        agents: Agents::new(aws.models(&config))?,
        artifacts: aws.artifacts(&config)?,
        papers: Papers::new(&config)?,
        pages: PageReader::new(&config, &aws)?,
    };
    let timeout = config.function_timeout.0;
    batch::serve(|message, arrival| {
        metrics::taken_up(arrival.waited);
        executor.handle(message, Deadline::of(arrival.context, timeout))
    })
    .await
}
