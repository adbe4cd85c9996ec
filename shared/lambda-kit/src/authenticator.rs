//! Authentication: the caller is the `iss` and `sub` of a token that API Gateway has verified.
//!
//! A request without claims belongs to `OWNER`, which the local stack sets and the template never
//! does. Without claims and without `OWNER` a request is refused.

use std::collections::HashMap;

use aws_lambda_events::apigw::ApiGatewayRequestAuthorizer;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};
use serde_json::Value;
use session::{OwnerId, Timestamp};

use crate::{Code, EdgeSettings, Problem};

/// The issuer of owners that `OWNER` makes.
const LOCAL_ISSUER: &str = "local";

/// The author of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The owner of the caller's sessions.
    pub owner: OwnerId,
    /// The subject of the token, as an approval records it.
    pub subject: String,
}

/// Identifies callers.
#[derive(Debug, Clone)]
pub struct Authenticator {
    local: Option<Caller>,
}

impl Caller {
    fn new(issuer: &str, subject: &str) -> Self {
        Self {
            owner: OwnerId::of(issuer, subject),
            subject: subject.to_owned(),
        }
    }
}

impl Authenticator {
    /// Uses `OWNER`, if it is set.
    pub fn new(settings: &EdgeSettings) -> Self {
        let local = settings.owner.as_deref();
        Self {
            local: local.map(|owner| Caller::new(LOCAL_ISSUER, owner)),
        }
    }

    /// The caller of an HTTP request, by its authorizer's claims.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub fn caller(&self, request: &Request) -> Result<Caller, Problem> {
        let claims = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context
                .authorizer
                .as_ref()
                .and_then(|authorizer| authorizer.jwt.as_ref())
                .map(|jwt| &jwt.claims),
            _ => None,
        };
        self.admit(claims.and_then(named))
    }

    /// The caller of a WebSocket frame, by the context that the authorizer of `$connect` returned.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub fn connected(&self, authorizer: &ApiGatewayRequestAuthorizer) -> Result<Caller, Problem> {
        let field = |name| authorizer.fields.get(name)?.as_str();
        let caller = field("iss").zip(field("sub"));
        self.admit(caller.map(|(issuer, subject)| Caller::new(issuer, subject)))
    }

    /// When the token of a WebSocket connection expires, and the connection with it; none where no
    /// token was needed.
    ///
    /// # Errors
    /// `unauthenticated`, also for a context without a valid time.
    pub fn token_ends(
        &self,
        authorizer: &ApiGatewayRequestAuthorizer,
    ) -> Result<Option<Timestamp>, Problem> {
        match authorizer.fields.get("exp") {
            None if self.local.is_some() => Ok(None),
            exp => exp.and_then(moment).map(Some).ok_or_else(unauthenticated),
        }
    }

    fn admit(&self, verified: Option<Caller>) -> Result<Caller, Problem> {
        verified
            .filter(|caller| !caller.subject.is_empty())
            .or_else(|| self.local.clone())
            .ok_or_else(unauthenticated)
    }
}

fn unauthenticated() -> Problem {
    Problem::new(Code::Unauthenticated, "A verified token is needed.")
}

/// Seconds since 1970. API Gateway turns each value of an authorizer's context into text.
fn moment(exp: &Value) -> Option<Timestamp> {
    let seconds: i64 = exp.as_str()?.parse().ok()?;
    Timestamp::from_micros(seconds.checked_mul(1_000_000)?)
}

fn named(claims: &HashMap<String, String>) -> Option<Caller> {
    Some(Caller::new(claims.get("iss")?, claims.get("sub")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn gate(owner: Option<&str>) -> Authenticator {
        let config =
            EdgeSettings::read(|name| (name == "OWNER").then(|| owner.map(str::to_owned))?);
        Authenticator::new(&config.unwrap())
    }

    fn request(authorizer: serde_json::Value) -> Request {
        let event = json!({
            "version": "2.0", "routeKey": "GET /api/health", "rawPath": "/api/health", "rawQueryString": "",
            "headers": {"authorization": "Bearer forged"},
            "requestContext": {"http": {"method": "GET", "path": "/api/health"}, "timeEpoch": 0, "authorizer": authorizer},
            "isBase64Encoded": false
        });
        lambda_http::request::from_str(&event.to_string()).unwrap()
    }

    #[test]
    fn the_owner_is_the_issuer_and_subject_of_a_verified_token() {
        let request = request(json!({"jwt": {"claims": {"iss": "https://i", "sub": "ada"}}}));
        for gate in [gate(None), gate(Some("local"))] {
            let caller = gate.caller(&request).unwrap();
            assert_eq!(caller.owner, OwnerId::of("https://i", "ada"));
            assert_eq!(caller.subject, "ada");
        }
    }

    #[test]
    fn without_claims_only_a_local_owner_comes_in() {
        for authorizer in [
            json!(null),
            json!({"jwt": {"claims": {"iss": "https://i"}}}),
            json!({"jwt": {"claims": {"iss": "https://i", "sub": ""}}}),
            json!({"lambda": {"iss": "https://i", "sub": "ada"}}),
        ] {
            let request = request(authorizer);
            assert_eq!(gate(None).caller(&request).unwrap_err().status(), 401);
            let caller = gate(Some("local")).caller(&request).unwrap();
            assert_eq!(caller.owner, OwnerId::of("local", "local"));
        }
    }

    fn handed_on(context: Value) -> ApiGatewayRequestAuthorizer {
        serde_json::from_value(json!({"lambda": context})).unwrap()
    }

    #[test]
    fn the_person_behind_a_connection_is_whom_the_authorizer_names() {
        let context = handed_on(json!({"principalId": "ada", "iss": "https://i", "sub": "ada"}));
        for gate in [gate(None), gate(Some("local"))] {
            let caller = gate.connected(&context).unwrap();
            assert_eq!(caller.owner, OwnerId::of("https://i", "ada"));
        }
        for incomplete in [
            json!({}),
            json!({"principalId": "ada"}),
            json!({"sub": "ada"}),
        ] {
            let context = handed_on(incomplete);
            assert_eq!(gate(None).connected(&context).unwrap_err().status(), 401);
            assert_eq!(
                gate(Some("local")).connected(&context).unwrap().owner,
                OwnerId::of("local", "local")
            );
        }
    }

    #[test]
    fn a_connection_ends_with_its_token_and_an_invalid_end_is_refused() {
        let ends = |gate: Authenticator, context| {
            gate.token_ends(&handed_on(context)).map_err(|p| p.status())
        };
        let end = Timestamp::from_micros(1_764_000_000_000_000);
        assert_eq!(ends(gate(None), json!({"exp": "1764000000"})), Ok(end));
        assert_eq!(
            ends(gate(Some("local")), json!({"exp": "1764000000"})),
            Ok(end)
        );
        assert_eq!(ends(gate(Some("local")), json!({})), Ok(None));
        assert_eq!(ends(gate(None), json!({})), Err(401));
        for exp in ["", "soon", "1.5", "9223372036854775807"] {
            assert_eq!(
                ends(gate(Some("local")), json!({"exp": exp})),
                Err(401),
                "{exp}"
            );
        }
    }
}
