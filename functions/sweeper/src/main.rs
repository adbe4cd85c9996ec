//! The process: logs, configuration, clients, then the events of the schedule.

use lambda_kit::{Aws, Config, Error, init_logs, metrics};
use lambda_runtime::{LambdaEvent, run, service_fn};
use sweeper::{Sweeper, stop_time};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&config)?;
    let sweeper = Sweeper {
        outbox: aws.outbox(&config, &sessions)?,
        sessions,
    };
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let swept = sweeper.sweep(stop_time(&event.context)).await;
        metrics::flush();
        Ok::<_, Error>(swept?)
    }))
    .await
}
