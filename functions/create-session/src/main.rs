//! The process: logs, configuration, clients, then events until it ends.

use std::process::ExitCode;

use agents::{ModelSettings, Models};
use lambda_kit::{App, Aws, EdgeSettings, Error, http, run_logged};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let settings = EdgeSettings::from_env()?;
    let app = App::new(&settings, &Aws::from_env().await)?;
    let models = Models::new(&ModelSettings::from_env()?)?;
    let models = models.with_limited_costs(settings.max_cost_usd_per_owner_day.is_some());
    http::serve(|request| create_session::handle(&app, &models, request)).await
}
