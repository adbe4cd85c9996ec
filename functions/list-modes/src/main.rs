//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{Authenticator, EdgeSettings, Error, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let settings = EdgeSettings::from_env()?;
    let authenticator = Authenticator::new(&settings);
    http::serve(|request| list_modes::handle(&authenticator, request)).await
}
