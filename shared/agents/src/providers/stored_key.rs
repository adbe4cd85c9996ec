//! API keys in AWS Secrets Manager, read before the first request to a service. A deployment
//! configures only the names of the secrets, so that no environment or template contains a key.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;

use crate::{Fetching, KeyError, KeyStore, Secret};

/// Errors of throttling or of the service. A later request may succeed.
const PASSING: [&str; 3] = [
    "ThrottlingException",
    "LimitExceededException",
    "InternalServiceError",
];

/// A key that is the whole text of a secret.
#[derive(Debug)]
pub(crate) struct StoredKey {
    client: Client,
    id: String,
}

impl StoredKey {
    /// The secret with this name or ARN.
    pub(crate) fn new(aws: &SdkConfig, id: &str) -> Self {
        Self {
            client: Client::new(aws),
            id: id.to_owned(),
        }
    }

    async fn read(&self) -> Result<Secret, KeyError> {
        let asked = self.client.get_secret_value().secret_id(&self.id).send();
        let found = asked.await.map_err(not_read)?;
        let text = found.secret_string().map(str::trim).unwrap_or_default();
        if text.is_empty() {
            return Err(KeyError {
                passes: false,
                source: "the secret holds no text".into(),
            });
        }
        Ok(Secret::new(text))
    }
}

impl KeyStore for StoredKey {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(self.read())
    }
}

fn not_read(error: SdkError<GetSecretValueError>) -> KeyError {
    let passes = match &error {
        SdkError::ServiceError(refused) => {
            let code = refused.err().code();
            refused.raw().status().is_server_error()
                || code.is_some_and(|code| PASSING.contains(&code))
        }
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    };
    KeyError {
        passes,
        source: error.into(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::config::{
        BehaviorVersion, Credentials, Region, retry::RetryConfig,
    };
    use http::Response;
    use serde_json::{Value, json};
    use stub_http::stub_client;

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:openai-AbCdEf";

    /// A key in a Secrets Manager that sends this reply to each request.
    fn stored(status: u16, answer: Value) -> StoredKey {
        let http = stub_client(move |request| {
            let target = request.headers().get("x-amz-target").unwrap();
            assert_eq!(target, "secretsmanager.GetSecretValue");
            let asked: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            assert_eq!(asked, json!({"SecretId": ARN}));
            let response = Response::builder().status(status);
            response.body(answer.to_string()).unwrap()
        });
        let settings = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("none", "none", None, None, "testing"))
            .region(Region::from_static("us-east-1"))
            .retry_config(RetryConfig::disabled())
            .http_client(http)
            .build();
        StoredKey {
            client: Client::from_conf(settings),
            id: ARN.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_key_is_the_secret_without_its_trailing_line_break() {
        let key = stored(200, json!({"ARN": ARN, "SecretString": "sk-very-secret\n"}));
        assert_eq!(key.fetch().await.unwrap(), Secret::new("sk-very-secret"));
        assert!(!format!("{key:?}").contains("very-secret"));
    }

    #[tokio::test]
    async fn temporary_and_permanent_errors_are_distinguished() {
        let refusal = |code: &str| json!({"__type": code, "message": "m"});
        for (status, answer, passes) in [
            (400, refusal("ThrottlingException"), true),
            (500, refusal("InternalServiceError"), true),
            (503, json!({}), true),
            (400, refusal("ResourceNotFoundException"), false),
            (400, refusal("AccessDeniedException"), false),
            (200, json!({"ARN": ARN, "SecretBinary": "AAAA"}), false),
            (200, json!({"ARN": ARN, "SecretString": " \n"}), false),
        ] {
            let error = stored(status, answer.clone()).fetch().await.unwrap_err();
            assert_eq!(error.passes, passes, "{status} {answer}");
        }
    }
}
