//! A function that only creates the client that all functions create. `make bench` compares their
//! cold start with it.

use aws_sdk_dynamodb::Client;
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::new(&aws_config::from_env().load().await);
    let client = &client;
    run(service_fn(move |_: Request| async move {
        // Uses the client, so that the linker keeps it.
        let region = client.config().region().map(ToString::to_string);
        Ok::<_, Error>(region.unwrap_or_default())
    }))
    .await
}
