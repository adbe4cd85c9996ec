//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{Aws, EdgeSettings, Error, init_logs, websocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let settings = EdgeSettings::from_env()?;
    let sessions = Aws::from_env().await.sessions(&settings)?;
    websocket::serve(|event| ws_disconnect::handle(&sessions, event)).await
}
