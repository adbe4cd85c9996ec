//! The process: logs, configuration, clients, then events until it ends.

use documents::DocumentSettings;
use lambda_kit::{App, Aws, EdgeSettings, Error, http, init_logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_logs();
    let settings = EdgeSettings::from_env()?;
    let aws = Aws::from_env().await;
    let app = App::new(&settings, &aws)?;
    let artifacts = DocumentSettings::from_env()?.artifacts(aws.shared())?;
    http::serve(|request| get_file_content::handle(&app, &artifacts, request)).await
}
