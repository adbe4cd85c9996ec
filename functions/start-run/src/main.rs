//! The process: logs, configuration, clients, then events until it ends.

use std::process::ExitCode;

use agents::{ModelSettings, Models};
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
    let outbox = aws.outbox(&settings, &app.sessions)?;
    let models = Models::new(&ModelSettings::from_env()?)?;
    let tasks = start_run::Tasks {
        artifacts: DocumentSettings::from_env()?.artifacts(aws.shared())?,
        models: models.with_limited_costs(settings.max_cost_usd_per_owner_day.is_some()),
    };
    http::serve(|request| start_run::handle(&app, &outbox, &tasks, request)).await
}
