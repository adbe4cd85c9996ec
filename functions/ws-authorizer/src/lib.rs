//! Before `$connect`: API Gateway asks whether a client may open a WebSocket, and the answer is yes for a verified token alone.
//!
//! The rules are those of the HTTP API's own authorizer: the same issuer and audience, RSA signatures, keys that the issuer
//! publishes. What is wrong with a token is a denial; an issuer that cannot be asked is an error, and API Gateway then lets
//! nobody in either. A token never reaches a log.

mod answer;
mod denied;
mod issuer;
mod keys;
mod rules;
mod token;

use std::time::{Duration, SystemTime};

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Event;
use environment::{EnvironmentError, required};
use lambda_kit::{EdgeSettings, causes};

pub use answer::AuthorizerResponse;
use denied::Denied;
pub use issuer::FetchError;
use issuer::Issuer;
use keys::KeyCache;
use rules::{TokenRules, Verified};

/// What keeps the authorizer from an answer. Nobody is let in.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// Without the issuer's keys nothing can be verified.
    #[error("the issuer's keys could not be fetched")]
    NoKeys(#[from] FetchError),
    /// API Gateway names the connection's ARN in every event.
    #[error("the event has no methodArn")]
    NoArn,
}

/// Lets clients in.
#[derive(Debug)]
pub struct Authorizer {
    rules: TokenRules,
    keys: KeyCache,
    /// Whether a client without a token comes in, without claims. The gate then takes it for `OWNER`.
    open: bool,
}

impl Authorizer {
    /// By `JWT_ISSUER`, `JWT_AUDIENCE` and `JWKS_TTL_SECONDS`. The issuer is not asked before the first token comes.
    ///
    /// # Errors
    /// When one is missing, or the issuer is no https URL.
    pub fn new(settings: &EdgeSettings) -> Result<Self, EnvironmentError> {
        let issuer: Issuer = required("JWT_ISSUER", &settings.jwt_issuer)?
            .parse()
            .map_err(|problem: issuer::NotAnIssuer| EnvironmentError::Invalid {
                name: "JWT_ISSUER",
                problem: problem.to_string(),
            })?;
        let audience = required("JWT_AUDIENCE", &settings.jwt_audience)?;
        Ok(Self {
            rules: TokenRules::new(issuer.as_str(), audience),
            keys: KeyCache::new(issuer, settings.jwks_ttl.0.max(Duration::from_secs(1))),
            open: settings.owner.is_some(),
        })
    }

    /// Says whether this connection may be opened, and by whom.
    ///
    /// # Errors
    /// [`IssuerError`], which API Gateway answers with a 500.
    pub async fn handle(
        &self,
        event: Event,
        now: SystemTime,
    ) -> Result<AuthorizerResponse, IssuerError> {
        let arn = event.method_arn.as_deref().ok_or(IssuerError::NoArn)?;
        match self.verified(&event, now).await {
            Ok(verified) => Ok(AuthorizerResponse::allow(arn, &verified)),
            Err(Denial::Denied(Denied::NoToken)) if self.open => {
                Ok(AuthorizerResponse::allow_unnamed(arn))
            }
            Err(Denial::Denied(reason)) => {
                tracing::warn!(%reason, "connection denied");
                Ok(AuthorizerResponse::deny(arn))
            }
            Err(Denial::NoKeys(error)) => {
                tracing::error!(%error, cause = %causes(&error), "issuer's keys not fetched");
                Err(error.into())
            }
        }
    }

    async fn verified(&self, event: &Event, now: SystemTime) -> Result<Verified, Denial> {
        // 1. The token stands in the header or, for browsers, in the query.
        let token = token::of(event).ok_or(Denied::NoToken)?;
        // 2. It says that it is signed with RS256, and by which of the issuer's keys.
        let key_id = rules::key_id(token)?;
        // 3. The issuer publishes that key.
        let key = self.keys.get(&key_id, now).await?;
        let key = key.ok_or(Denied::UnknownKey)?;
        // 4. The signature is that key's, the claims are ours to accept, and the time is right.
        Ok(self.rules.verify(token, &key)?)
    }
}

/// Why there is no verified token.
#[derive(Debug, thiserror::Error)]
enum Denial {
    /// The client has none.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Nobody knows.
    #[error(transparent)]
    NoKeys(#[from] FetchError),
}
