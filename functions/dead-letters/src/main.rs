//! The process: logs, configuration, clients, then dead letters.

use dead_letters::DeadLetters;
use lambda_kit::{Aws, EdgeSettings, Error, init_logs, metrics, sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
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
