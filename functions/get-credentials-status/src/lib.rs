//! `GET /api/credentials/status`: which providers of models are set up in this deployment.
//!
//! The reply follows from the settings alone. No provider is called and no key is read, so a wrong
//! key counts as one.

mod operation;

use std::collections::BTreeMap;

use agents::{ModelSettings, ProviderKind};
use lambda_kit::http::HttpReply;
use lambda_kit::{Authenticator, Problem, Request, now};
use schemars::JsonSchema;
use serde::Serialize;
use session::Timestamp;

pub use operation::operation;

/// The providers of a deployment.
#[derive(Serialize, JsonSchema)]
struct CredentialsStatus {
    /// `success`: the settings were read.
    status: &'static str,
    summary: CredentialsSummary,
    /// By provider. `openai` tells whether a task can be answered, by any provider.
    results: BTreeMap<&'static str, Credential>,
    timestamp: Timestamp,
}

/// How many providers have which status. Keys are not tried, so none is found invalid.
#[derive(Default, Serialize, JsonSchema)]
struct CredentialsSummary {
    total: usize,
    valid: usize,
    invalid: usize,
    not_configured: usize,
    errors: usize,
}

/// A provider of models.
#[derive(Serialize, JsonSchema)]
struct Credential {
    provider: &'static str,
    status: CredentialStatus,
    /// A sentence for people.
    message: String,
}

#[derive(PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum CredentialStatus {
    Valid,
    NotConfigured,
}

/// Answers with the providers of models and whether each is set up. Existing clients start no task
/// unless `openai` is `valid`, so that entry speaks for the deployment's default provider.
///
/// # Errors
/// `unauthenticated`.
pub async fn handle(
    authenticator: &Authenticator,
    settings: &ModelSettings,
    request: Request,
) -> Result<HttpReply, Problem> {
    authenticator.caller(&request)?;
    let results = ProviderKind::ALL.map(|kind| (kind.id(), credential(settings, kind)));
    HttpReply::ok(&CredentialsStatus {
        status: "success",
        summary: CredentialsSummary::of(results.iter().map(|(_, credential)| credential)),
        results: results.into(),
        timestamp: now(),
    })
}

fn credential(settings: &ModelSettings, kind: ProviderKind) -> Credential {
    let checked = match kind {
        ProviderKind::OpenAi => settings.check_deployment(),
        kind => settings.check_provider(kind),
    };
    let default = settings.model_provider;
    Credential {
        provider: kind.id(),
        status: match checked {
            Ok(()) => CredentialStatus::Valid,
            Err(_) => CredentialStatus::NotConfigured,
        },
        message: match checked {
            Err(missing) if kind == ProviderKind::OpenAi => {
                format!("No task can be started: {missing}.")
            }
            Err(missing) => format!("Not usable: {missing}."),
            Ok(()) if kind == ProviderKind::OpenAi && kind != default => {
                format!("Tasks can be started: the provider `{default}` answers them.")
            }
            Ok(()) => format!("The provider `{kind}` is set up."),
        },
    }
}

impl CredentialsSummary {
    fn of<'a>(credentials: impl Iterator<Item = &'a Credential>) -> Self {
        let mut summary = Self::default();
        for credential in credentials {
            summary.total += 1;
            match credential.status {
                CredentialStatus::Valid => summary.valid += 1,
                CredentialStatus::NotConfigured => summary.not_configured += 1,
            }
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::{gate, get, success};
    use serde_json::{Value, json};

    use super::*;

    async fn status(pairs: &[(&str, &str)]) -> Value {
        let settings = ModelSettings::read(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name)?;
            Some(pair.1.to_owned())
        });
        success(handle(&gate(Some("local")), &settings.unwrap(), get("")).await)
    }

    #[tokio::test]
    async fn the_entry_of_openai_speaks_for_the_default_provider() {
        let reply = status(&[]).await;
        assert_eq!(reply["status"], "success");
        assert_eq!(
            reply["summary"],
            json!({"total": 5, "valid": 2, "invalid": 0, "not_configured": 3, "errors": 0})
        );
        assert_eq!(
            reply["results"]["openai"],
            json!({
                "provider": "openai", "status": "valid",
                "message": "Tasks can be started: the provider `offline` answers them.",
            })
        );
        assert_eq!(reply["results"]["anthropic"]["status"], "not_configured");
        assert!(reply["timestamp"].is_string());
    }

    #[tokio::test]
    async fn without_its_key_the_default_provider_is_not_configured() {
        let openai = [("MODEL_PROVIDER", "openai"), ("MODEL_ID", "m")];
        let reply = status(&openai).await;
        assert_eq!(reply["results"]["openai"]["status"], "not_configured");
        let reply = status(&[&openai[..], &[("MODEL_KEYS", "openai")]].concat()).await;
        assert_eq!(reply["results"]["openai"]["status"], "valid");
        assert_eq!(
            reply["results"]["openai"]["message"],
            "The provider `openai` is set up."
        );
    }

    #[tokio::test]
    async fn no_reply_contains_a_key_or_an_address() {
        let reply = status(&[
            ("MODEL_PROVIDER", "openai"),
            ("MODEL_ID", "m"),
            ("OPENAI_API_KEY", "sk-secret"),
            ("OPENAI_BASE_URL", "https://secret.example/v1"),
        ]);
        let reply = reply.await.to_string();
        assert!(!reply.contains("secret"), "{reply}");
    }

    #[tokio::test]
    async fn a_request_without_a_token_is_refused() {
        let settings = ModelSettings::read(|_| None).unwrap();
        let refused = handle(&gate(None), &settings, get("")).await;
        assert_eq!(refused.unwrap_err().status(), 401);
    }
}
