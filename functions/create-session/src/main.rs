//! The process: logs, configuration, clients, then events until it ends.

use agents::{ModelSettings, Models};
use lambda_kit::{App, Aws, EdgeSettings, Error, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let settings = EdgeSettings::from_env()?;
    let app = App::new(&settings, &Aws::from_env().await)?;
    let models = Models::new(&ModelSettings::from_env()?)?;
    let models = models.with_limited_costs(settings.max_cost_usd_per_owner_day.is_some());
    http::serve(|request| create_session::handle(&app, &models, request)).await
}
