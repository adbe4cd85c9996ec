//! The process: logs, configuration, clients, then events until it ends.

use std::process::ExitCode;

use documents::DocumentSettings;
use lambda_kit::{App, Aws, EdgeSettings, Error, http, run_logged};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let settings = EdgeSettings::from_env()?;
    let aws = Aws::from_env().await;
    let app = App::new(&settings, &aws)?;
    let artifacts = DocumentSettings::from_env()?.artifacts(aws.shared())?;
    http::serve(|request| list_run_files::handle(&app, &artifacts, request)).await
}
