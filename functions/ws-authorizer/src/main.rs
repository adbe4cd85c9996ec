//! The process: logs, configuration, then the events of new connections.

use std::process::ExitCode;

use std::time::SystemTime;

use lambda_kit::{EdgeSettings, Error, run_logged};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ws_authorizer::Authorizer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let authorizer = Authorizer::new(&EdgeSettings::from_env()?)?;
    run(service_fn(async |event: LambdaEvent<_>| {
        Ok::<_, Error>(authorizer.handle(event.payload, SystemTime::now()).await?)
    }))
    .await
}
