//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{Aws, Config, Error, init_logs, socket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let config = Config::from_env()?;
    let sessions = Aws::from_env().await.sessions(&config)?;
    socket::serve(|event| ws_disconnect::handle(&sessions, event)).await
}
