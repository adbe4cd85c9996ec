//! The process: logs, configuration, the page, then requests until it ends.

use std::convert::Infallible;
use std::process::ExitCode;

use console::{Console, ConsoleSettings};
use lambda_http::{Request, run, service_fn};
use lambda_kit::{EdgeSettings, Error, run_logged};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run_logged(function()).await
}

async fn function() -> Result<(), Error> {
    let console = Console::new(&EdgeSettings::from_env()?, &ConsoleSettings::from_env()?)?;
    run(service_fn(|request: Request| {
        let answered = console.answer(&request);
        async move { Ok::<_, Infallible>(answered) }
    }))
    .await
}
