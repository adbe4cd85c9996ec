//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{App, Aws, Config, Error, Models, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await;
    let app = App::new(&config, &aws)?;
    let outbox = aws.outbox(&config, &app.sessions)?;
    let tasks = start_run::Tasks {
        artifacts: aws.artifacts(&config)?,
        models: Models::new(&config)?,
    };
    http::serve(|request| start_run::handle(&app, &outbox, &tasks, request)).await
}
