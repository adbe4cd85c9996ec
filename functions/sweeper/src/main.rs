//! The process: logs, configuration, clients, then the events of the schedule.

use std::process::ExitCode;

use lambda_kit::{Aws, EdgeSettings, Error, metrics, run_logged};
use lambda_runtime::{LambdaEvent, run, service_fn};
use sweeper::{Sweeper, stop_time};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let settings = EdgeSettings::from_env()?;
    let aws = Aws::from_env().await;
    let sessions = aws.sessions(&settings)?;
    let sweeper = Sweeper {
        outbox: aws.outbox(&settings, &sessions)?,
        sessions,
    };
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let swept = sweeper.sweep(stop_time(&event.context)).await;
        metrics::flush();
        Ok::<_, Error>(swept?)
    }))
    .await
}
