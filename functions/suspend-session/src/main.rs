//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{App, Aws, EdgeSettings, Error, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let settings = EdgeSettings::from_env()?;
    let aws = Aws::from_env().await;
    let app = App::new(&settings, &aws)?;
    let outbox = aws.outbox_without_queue(&settings, &app.sessions)?;
    http::serve(|request| suspend_session::handle(&app, &outbox, request)).await
}
