//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{Authenticator, Config, Error, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let config = Config::from_env()?;
    let gate = Authenticator::new(&config);
    http::serve(|request| list_modes::handle(&gate, request)).await
}
