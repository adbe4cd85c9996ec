//! The process: logs, configuration, clients, then events until it ends.

use std::process::ExitCode;

use agents::ModelSettings;
use lambda_kit::{Authenticator, EdgeSettings, Error, http, run_logged};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let authenticator = Authenticator::new(&EdgeSettings::from_env()?);
    let models = ModelSettings::from_env()?;
    http::serve(|request| get_credentials_status::handle(&authenticator, &models, request)).await
}
