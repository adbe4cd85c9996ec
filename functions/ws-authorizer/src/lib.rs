//! Authorizes `$connect`: a client with a verified token may open a WebSocket.
//!
//! The rules are those of the HTTP API's own authorizer: the same issuer and audience, RSA
//! signatures, and keys that the issuer publishes. An invalid token is denied. If the issuer's keys
//! cannot be fetched, the function fails, and API Gateway refuses the connection. A token never
//! reaches a log.

mod denial;
mod issuer;
mod keys;
mod response;
mod rules;
mod token;

use std::time::{Duration, SystemTime};

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Event;
use environment::{EnvironmentError, required};
use lambda_kit::{EdgeSettings, causes};

use denial::Denial;
pub use issuer::FetchError;
use issuer::Issuer;
use keys::KeyCache;
pub use response::AuthorizerResponse;
use rules::{TokenRules, Verified};

/// Why the authorizer fails. API Gateway then refuses the connection.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// Without the issuer's keys nothing can be verified.
    #[error("the issuer's keys could not be fetched")]
    NoKeys(#[from] FetchError),
    /// API Gateway sends the connection's ARN in every event.
    #[error("the event has no methodArn")]
    NoArn,
}

/// Verifies tokens.
#[derive(Debug)]
pub struct Authorizer {
    rules: TokenRules,
    keys: KeyCache,
    /// Whether a client without a token is allowed, without claims. `Authenticator` takes it for
    /// `OWNER`.
    allows_no_token: bool,
}

impl Authorizer {
    /// By `JWT_ISSUER`, `JWT_AUDIENCE` and `JWKS_TTL_SECONDS`. The first token fetches the issuer's
    /// keys.
    ///
    /// # Errors
    /// If a variable is missing, or the issuer is no https URL.
    pub fn new(settings: &EdgeSettings) -> Result<Self, EnvironmentError> {
        let issuer: Issuer = required("JWT_ISSUER", &settings.jwt_issuer)?
            .parse()
            .map_err(|problem: issuer::InvalidIssuer| EnvironmentError::Invalid {
                name: "JWT_ISSUER",
                problem: problem.to_string(),
            })?;
        let audience = required("JWT_AUDIENCE", &settings.jwt_audience)?;
        Ok(Self {
            rules: TokenRules::new(issuer.as_str(), audience),
            keys: KeyCache::new(issuer, settings.jwks_ttl.0.max(Duration::from_secs(1))),
            allows_no_token: settings.owner.is_some(),
        })
    }

    /// Decides whether this connection may be opened, and by which subject.
    ///
    /// # Errors
    /// [`IssuerError`], which API Gateway answers with a 500.
    pub async fn handle(
        &self,
        event: Event,
        now: SystemTime,
    ) -> Result<AuthorizerResponse, IssuerError> {
        let arn = event.method_arn.as_deref().ok_or(IssuerError::NoArn)?;
        match self.verify(&event, now).await {
            Ok(verified) => Ok(AuthorizerResponse::allow(arn, &verified)),
            Err(NotVerified::Denied(Denial::NoToken)) if self.allows_no_token => {
                Ok(AuthorizerResponse::allow_unnamed(arn))
            }
            Err(NotVerified::Denied(reason)) => {
                tracing::warn!(%reason, "connection denied");
                Ok(AuthorizerResponse::deny(arn))
            }
            Err(NotVerified::NoKeys(error)) => {
                tracing::error!(%error, cause = %causes(&error), "issuer's keys not fetched");
                Err(error.into())
            }
        }
    }

    async fn verify(&self, event: &Event, now: SystemTime) -> Result<Verified, NotVerified> {
        // 1. The token is in the header or, for browsers, in the query.
        let token = token::of(event).ok_or(Denial::NoToken)?;
        // 2. Its header names RS256 and one of the issuer's keys.
        let key_id = rules::key_id(token)?;
        // 3. The issuer publishes that key.
        let key = self.keys.get(&key_id, now).await?;
        let key = key.ok_or(Denial::UnknownKey)?;
        // 4. The signature, the claims and the times are valid.
        Ok(self.rules.verify(token, &key)?)
    }
}

/// Why there is no verified token.
#[derive(Debug, thiserror::Error)]
enum NotVerified {
    /// The token is missing or invalid.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The issuer's keys are unknown.
    #[error(transparent)]
    NoKeys(#[from] FetchError),
}
