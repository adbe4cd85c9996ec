//! Started by a schedule; see the library for what it does.

use std::sync::Arc;

use lambda_kit::{Aws, Config, Error, Outbox};
use lambda_runtime::{LambdaEvent, run, service_fn};
use sweeper::Sweeper;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env()?;
    lambda_kit::init_logs();
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&config)?;
    let outbox = Outbox::new(aws.push(&config, &sessions)?, aws.queue(&config)?);
    let sweeper = Arc::new(Sweeper { sessions, outbox });
    run(service_fn(move |_: LambdaEvent<serde_json::Value>| {
        let sweeper = Arc::clone(&sweeper);
        async move { Ok::<_, Error>(sweeper.sweep().await?) }
    }))
    .await
}
