//! The process: logs, configuration, clients, then events until it ends.

use std::process::ExitCode;

use lambda_kit::{App, Aws, EdgeSettings, Error, http, run_logged};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let settings = EdgeSettings::from_env()?;
    let aws = Aws::from_env().await;
    let app = App::new(&settings, &aws)?;
    let outbox = aws.outbox_without_queues(&settings, &app.sessions)?;
    http::serve(|request| delete_session::handle(&app, &outbox, request)).await
}
