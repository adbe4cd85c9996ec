//! The process: logs, configuration, clients, then dead letters.

use dead_letters::DeadLetters;
use lambda_kit::{Aws, Config, Error, batch, init_logs, metrics};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&config)?;
    let dead_letters = DeadLetters {
        outbox: aws.outbox(&config, &sessions)?,
        sessions,
    };
    batch::serve(|message, _| {
        metrics::dead_letter();
        dead_letters.handle(message)
    })
    .await
}
