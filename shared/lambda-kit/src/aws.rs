//! The clients of AWS, made once per process: cold starts pay for them, requests don't.
//!
//! Everything comes from the standard chain of `aws_config`, so that `AWS_ENDPOINT_URL` and its kin decide where a local
//! stack's services are, and no function has a local mode.

use std::time::Duration;

use agents::ModelConfig;
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use documents::Artifacts;
use session_manager::SessionManager;

use crate::config::{ConfigError, required};
use crate::{Config, Outbox, Push, Queue, metrics, models};

/// For a connection to a service that stands in the same region.
const CONNECT_TIME: Duration = Duration::from_secs(1);

/// For one operation with all its retries: what is left of a request's time must suffice to say that it failed.
const OPERATION_TIME: Duration = Duration::from_secs(5);

/// For a page that Textract reads, with all retries: it takes seconds, not milliseconds.
const PAGE_TIME: Duration = Duration::from_secs(30);

/// What all clients share: credentials, region, connections.
#[derive(Debug, Clone)]
pub struct Aws {
    shared: SdkConfig,
}

impl Aws {
    /// Finds credentials and region where the standard chain finds them.
    pub async fn from_env() -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME)
            .operation_timeout(OPERATION_TIME)
            .build();
        let shared = aws_config::from_env().timeout_config(timeouts).load().await;
        Self { shared }
    }

    /// The sessions in `TABLE_NAME`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn sessions(&self, config: &Config) -> Result<SessionManager, ConfigError> {
        let client = aws_sdk_dynamodb::Client::new(&self.shared);
        let table = required("TABLE_NAME", &config.table)?;
        Ok(SessionManager::new(client, table, config.rules()))
    }

    /// The queue at `QUEUE_URL`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn queue(&self, config: &Config) -> Result<Queue, ConfigError> {
        let client = aws_sdk_sqs::Client::new(&self.shared);
        Ok(Queue::new(
            client,
            required("QUEUE_URL", &config.queue_url)?,
        ))
    }

    /// The connections behind `WS_CALLBACK_URL`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn push(&self, config: &Config, sessions: &SessionManager) -> Result<Push, ConfigError> {
        let url = required("WS_CALLBACK_URL", &config.ws_callback_url)?;
        let settings = aws_sdk_apigatewaymanagement::config::Builder::from(&self.shared)
            .endpoint_url(url)
            .build();
        let client = aws_sdk_apigatewaymanagement::Client::from_conf(settings);
        Ok(Push::new(client, sessions.clone()))
    }

    /// Push and queue, for whoever may set a run going. What is committed is measured from now on.
    ///
    /// # Errors
    /// When `WS_CALLBACK_URL` or `QUEUE_URL` is missing.
    pub fn outbox(
        &self,
        config: &Config,
        sessions: &SessionManager,
    ) -> Result<Outbox, ConfigError> {
        metrics::start(config);
        Ok(Outbox::new(
            self.push(config, sessions)?,
            self.queue(config)?,
        ))
    }

    /// Push alone, for whoever only ever stops things. What is committed is measured from now on.
    ///
    /// # Errors
    /// When `WS_CALLBACK_URL` is missing.
    pub fn outbox_without_queue(
        &self,
        config: &Config,
        sessions: &SessionManager,
    ) -> Result<Outbox, ConfigError> {
        metrics::start(config);
        Ok(Outbox::without_queue(self.push(config, sessions)?))
    }

    /// Amazon Textract, in the same region.
    pub fn textract(&self) -> aws_sdk_textract::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME)
            .operation_timeout(PAGE_TIME);
        let settings = aws_sdk_textract::config::Builder::from(&self.shared);
        let settings = settings.timeout_config(timeouts.build());
        aws_sdk_textract::Client::from_conf(settings.build())
    }

    /// What the agents need to know, with the clients of AWS that their providers and keys need.
    pub fn models(&self, config: &Config) -> ModelConfig {
        models::with_clients(config, &self.shared)
    }

    /// The artifacts in `BUCKET_NAME`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn artifacts(&self, config: &Config) -> Result<Artifacts, ConfigError> {
        let settings = aws_sdk_s3::config::Builder::from(&self.shared)
            // A bucket in the host name needs a wildcard resolver, which a local stack doesn't have. In the cloud it belongs there:
            // clients get links to it (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html).
            .force_path_style(self.shared.endpoint_url().is_some())
            .build();
        let client = aws_sdk_s3::Client::from_conf(settings);
        Ok(Artifacts::new(
            client,
            required("BUCKET_NAME", &config.bucket)?,
        ))
    }
}
