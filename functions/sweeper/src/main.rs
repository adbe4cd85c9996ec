//! The process: logs, configuration, clients, then the clock's events until it ends.

use lambda_kit::{Aws, EdgeSettings, Error, init_logs, metrics};
use lambda_runtime::{LambdaEvent, run, service_fn};
use sweeper::{Sweeper, time_of};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let settings = EdgeSettings::from_env()?;
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&settings)?;
    let sweeper = Sweeper {
        outbox: aws.outbox(&settings, &sessions)?,
        sessions,
    };
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let swept = sweeper.sweep(time_of(&event.context)).await;
        metrics::flush();
        Ok::<_, Error>(swept?)
    }))
    .await
}
