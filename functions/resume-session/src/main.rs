//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{App, Aws, EdgeSettings, Error, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let settings = EdgeSettings::from_env()?;
    let aws = Aws::from_env().await;
    let app = App::new(&settings, &aws)?;
    let outbox = aws.outbox(&settings, &app.sessions)?;
    http::serve(|request| resume_session::handle(&app, &outbox, request)).await
}
