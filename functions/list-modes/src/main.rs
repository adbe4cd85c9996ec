//! The process: logs, configuration, clients, then events until it ends.

use std::process::ExitCode;

use lambda_kit::{Authenticator, EdgeSettings, Error, http, run_logged};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let settings = EdgeSettings::from_env()?;
    let authenticator = Authenticator::new(&settings);
    http::serve(|request| list_modes::handle(&authenticator, request)).await
}
