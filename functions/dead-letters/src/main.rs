//! The process: logs, configuration, clients, then dead letters.

use std::process::ExitCode;

use dead_letters::DeadLetters;
use lambda_kit::{Aws, EdgeSettings, Error, metrics, run_logged, sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let settings = EdgeSettings::from_env()?;
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&settings)?;
    let dead_letters = DeadLetters {
        outbox: aws.outbox(&settings, &sessions)?,
        sessions,
    };
    sqs::serve(|message, _| {
        metrics::dead_letter();
        dead_letters.handle(message)
    })
    .await
}
