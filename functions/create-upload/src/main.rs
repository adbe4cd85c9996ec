//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{App, Aws, Config, Error, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await;
    let app = App::new(&config, &aws)?;
    let artifacts = aws.artifacts(&config)?;
    http::serve(|request| create_upload::handle(&app, &artifacts, request)).await
}
