//! The process: logs, configuration, clients, then events until it ends.

use agents::{ModelSettings, Models};
use lambda_kit::{Authenticator, EdgeSettings, Error, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let authenticator = Authenticator::new(&EdgeSettings::from_env()?);
    let models = Models::new(&ModelSettings::from_env()?)?;
    http::serve(|request| get_models_config::handle(&authenticator, &models, request)).await
}
