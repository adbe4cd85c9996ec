//! The response in API Gateway's format: a policy for this connection, and the claims for its
//! functions.

use serde::Serialize;

use crate::Verified;

/// The principal of a client without a verified token.
const UNNAMED: &str = "unnamed";

/// Whether the connection may be opened. A denial is a 403; only a failed function gives a 401.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerResponse {
    principal_id: String,
    policy_document: Policy,
    /// The claims that `lambda_kit::Authenticator` reads from every event of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: String,
}

/// API Gateway turns every value into text, so the fields are text.
#[derive(Debug, Serialize)]
struct Context {
    iss: String,
    sub: String,
    exp: String,
}

impl AuthorizerResponse {
    pub(crate) fn allow(arn: &str, verified: &Verified) -> Self {
        let context = Context {
            iss: verified.issuer.clone(),
            sub: verified.subject.clone(),
            exp: verified.until.clone(),
        };
        Self::new("Allow", arn, &verified.subject, Some(context))
    }

    /// Allows a client without claims. `Authenticator` accepts it only where `OWNER` is set.
    pub(crate) fn allow_unnamed(arn: &str) -> Self {
        Self::new("Allow", arn, UNNAMED, None)
    }

    pub(crate) fn deny(arn: &str) -> Self {
        Self::new("Deny", arn, UNNAMED, None)
    }

    fn new(effect: &'static str, arn: &str, principal: &str, context: Option<Context>) -> Self {
        Self {
            principal_id: principal.to_owned(),
            policy_document: Policy {
                version: "2012-10-17",
                statement: [Statement {
                    action: "execute-api:Invoke",
                    effect,
                    resource: arn.to_owned(),
                }],
            },
            context,
        }
    }
}
