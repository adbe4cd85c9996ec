//! The clients of AWS, made once per process, in its cold start.
//!
//! `aws_config`'s standard chain configures them. On a local stack `AWS_ENDPOINT_URL` and its
//! per-service forms name the services, so no function needs a local mode.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use environment::{EnvironmentError, required};
use session_manager::SessionManager;

use crate::{EdgeSettings, Outbox, Push, QueueUrls, Queues, metrics};

/// For a connection to a service that stands in the same region.
const CONNECT_TIME: Duration = Duration::from_secs(1);

/// For one operation with all its retries. The rest of a request's time is for its error reply.
const OPERATION_TIME: Duration = Duration::from_secs(5);

/// The credentials, the region and the connections that all clients share.
#[derive(Debug, Clone)]
pub struct Aws {
    shared: SdkConfig,
}

impl Aws {
    /// By the standard chain.
    pub async fn from_env() -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME)
            .operation_timeout(OPERATION_TIME)
            .build();
        let shared = aws_config::from_env().timeout_config(timeouts).load().await;
        Self { shared }
    }

    /// For clients of further services.
    pub const fn shared(&self) -> &SdkConfig {
        &self.shared
    }

    /// The sessions in `TABLE_NAME`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn sessions(&self, settings: &EdgeSettings) -> Result<SessionManager, EnvironmentError> {
        let client = aws_sdk_dynamodb::Client::new(&self.shared);
        let table = required("TABLE_NAME", &settings.table)?;
        let sessions = SessionManager::new(client, table, settings.rules());
        Ok(sessions.with_limits(settings.owner_limits()))
    }

    /// The queues at `QUEUE_URL`, `DOCUMENT_QUEUE_URL` and, where it is set, `PURGE_QUEUE_URL`.
    ///
    /// # Errors
    /// When a variable is missing.
    pub fn queues(&self, settings: &EdgeSettings) -> Result<Queues, EnvironmentError> {
        let client = aws_sdk_sqs::Client::new(&self.shared);
        let urls = QueueUrls {
            models: required("QUEUE_URL", &settings.queue_url)?.to_owned(),
            documents: required("DOCUMENT_QUEUE_URL", &settings.document_queue_url)?.to_owned(),
            purges: settings.purge_queue_url.clone(),
        };
        Ok(Queues::new(client, urls))
    }

    /// The connections behind `WS_CALLBACK_URL`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn push(
        &self,
        settings: &EdgeSettings,
        sessions: &SessionManager,
    ) -> Result<Push, EnvironmentError> {
        let url = required("WS_CALLBACK_URL", &settings.ws_callback_url)?;
        let config = aws_sdk_apigatewaymanagement::config::Builder::from(&self.shared)
            .endpoint_url(url)
            .build();
        let client = aws_sdk_apigatewaymanagement::Client::from_conf(config);
        Ok(Push::new(client, sessions.clone()))
    }

    /// Push and queues, for a function that may start work. Commits are measured from now on.
    ///
    /// # Errors
    /// When `WS_CALLBACK_URL`, `QUEUE_URL` or `DOCUMENT_QUEUE_URL` is missing.
    pub fn outbox(
        &self,
        settings: &EdgeSettings,
        sessions: &SessionManager,
    ) -> Result<Outbox, EnvironmentError> {
        metrics::start(settings);
        Ok(Outbox::new(
            self.push(settings, sessions)?,
            self.queues(settings)?,
        ))
    }

    /// Push alone, for a function that only stops work. Commits are measured from now on.
    ///
    /// # Errors
    /// When `WS_CALLBACK_URL` is missing.
    pub fn outbox_without_queues(
        &self,
        settings: &EdgeSettings,
        sessions: &SessionManager,
    ) -> Result<Outbox, EnvironmentError> {
        metrics::start(settings);
        Ok(Outbox::without_queues(self.push(settings, sessions)?))
    }
}
