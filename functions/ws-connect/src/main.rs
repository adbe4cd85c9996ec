//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{App, Aws, Config, Error, init_logs, socket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let config = Config::from_env()?;
    let app = App::new(&config, &Aws::from_env().await)?;
    socket::serve(|event| ws_connect::handle(&app, event)).await
}
