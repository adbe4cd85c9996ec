//! Started by the queue; see the library for what it does.

use std::sync::Arc;

use agents::Agents;
use executor::{Deadline, Executor};
use lambda_kit::{Aws, Config, Outbox};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_env()?;
    lambda_kit::init_logs();
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&config)?;
    let outbox = Outbox::new(aws.push(&config, &sessions)?, aws.queue(&config)?);
    let agents = Agents::new(config.models())?;
    let executor = Arc::new(Executor {
        sessions,
        agents,
        artifacts: aws.artifacts(&config)?,
        outbox,
    });
    let timeout = config.function_timeout.0;
    run(service_fn(move |event: LambdaEvent<_>| {
        let executor = Arc::clone(&executor);
        async move {
            Ok::<_, Error>(
                executor
                    .handle(event.payload, Deadline::of(&event.context, timeout))
                    .await,
            )
        }
    }))
    .await
}
