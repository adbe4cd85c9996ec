//! The process: logs, configuration, clients, then events until it ends.

use std::process::ExitCode;

use lambda_kit::{Aws, EdgeSettings, Error, run_logged, websocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let settings = EdgeSettings::from_env()?;
    let sessions = Aws::from_env().await.sessions(&settings)?;
    websocket::serve(|event| ws_disconnect::handle(&sessions, event)).await
}
