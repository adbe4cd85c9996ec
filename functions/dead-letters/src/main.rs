//! Started by the dead-letter queue; see the library for what it does.

use std::sync::Arc;

use dead_letters::DeadLetters;
use lambda_kit::{Aws, Config, Error, Outbox};
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env()?;
    lambda_kit::init_logs();
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&config)?;
    let outbox = Outbox::new(aws.push(&config, &sessions)?, aws.queue(&config)?);
    let dead_letters = Arc::new(DeadLetters { sessions, outbox });
    run(service_fn(move |event: LambdaEvent<_>| {
        let dead_letters = Arc::clone(&dead_letters);
        async move { Ok::<_, Error>(dead_letters.handle(event.payload).await) }
    }))
    .await
}
