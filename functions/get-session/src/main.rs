//! The process: logs, configuration, clients, then events until it ends.

use std::process::ExitCode;

use lambda_kit::{App, Aws, EdgeSettings, Error, http, run_logged};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let settings = EdgeSettings::from_env()?;
    let app = App::new(&settings, &Aws::from_env().await)?;
    http::serve(|request| get_session::handle(&app, request)).await
}
