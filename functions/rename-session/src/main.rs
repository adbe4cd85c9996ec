//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{App, Aws, EdgeSettings, Error, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let settings = EdgeSettings::from_env()?;
    let app = App::new(&settings, &Aws::from_env().await)?;
    http::serve(|request| rename_session::handle(&app, request)).await
}
