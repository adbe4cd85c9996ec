//! The process: logs, configuration, then the events of new connections.

use std::time::SystemTime;

use lambda_kit::{EdgeSettings, Error, init_logs};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ws_authorizer::Authorizer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let authorizer = Authorizer::new(&EdgeSettings::from_env()?)?;
    run(service_fn(async |event: LambdaEvent<_>| {
        Ok::<_, Error>(authorizer.handle(event.payload, SystemTime::now()).await?)
    }))
    .await
}
