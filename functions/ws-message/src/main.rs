//! The process: logs, configuration, clients, then events until it ends.

use lambda_kit::{App, Aws, Config, Error, Models, init_logs, socket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await;
    let app = App::new(&config, &aws)?;
    let outbox = aws.outbox(&config, &app.sessions)?;
    let models = Models::new(&config)?;
    let deps = ws_message::Deps {
        app,
        outbox,
        models,
    };
    socket::serve(|event| ws_message::handle(&deps, event)).await
}
