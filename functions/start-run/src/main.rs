//! The process: logs, configuration, clients, then events until it ends.

use agents::{ModelSettings, Models};
use documents::DocumentSettings;
use lambda_kit::{App, Aws, EdgeSettings, Error, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let settings = EdgeSettings::from_env()?;
    let aws = Aws::from_env().await;
    let app = App::new(&settings, &aws)?;
    let outbox = aws.outbox(&settings, &app.sessions)?;
    let tasks = start_run::Tasks {
        artifacts: DocumentSettings::from_env()?.artifacts(aws.shared())?,
        models: Models::new(&ModelSettings::from_env()?)?,
    };
    http::serve(|request| start_run::handle(&app, &outbox, &tasks, request)).await
}
