//! The rules of a valid token: RS256 by a named key, `iss`, `aud`, `exp`, `nbf` and `sub`.
//!
//! The algorithm is fixed, so that neither `none` nor a public key as an HMAC secret is accepted.
//! It is RS256 because the HTTP API's own authorizer accepts only RSA signatures, and both must
//! accept the same tokens.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::Denial;

/// How far the issuer's clock may be ahead, in seconds. `exp` has no leeway: the connection ends
/// with its token.
const LEEWAY: u64 = 10;

/// The claims of a verified token.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    /// The issuer.
    pub issuer: String,
    /// The subject, as the issuer names it.
    pub subject: String,
    /// `exp`, in whole seconds since 1970.
    pub until: String,
}

/// The rules, fixed at the cold start.
#[derive(Debug)]
pub struct TokenRules {
    validation: Validation,
    audience: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: f64,
    aud: Option<Audience>,
    client_id: Option<String>,
}

/// One audience or several (RFC 7519, 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The `kid` of the token's header, which is not verified yet.
pub fn key_id(token: &str) -> Result<String, Denial> {
    // `decode_header` rejects the algorithm `none` as malformed.
    let header = decode_header(token)?;
    if header.alg != Algorithm::RS256 {
        return Err(Denial::OtherAlgorithm);
    }
    // A token with an extension in `crit` that is not understood must be rejected (RFC 7515,
    // 4.1.11).
    if header.crit.is_some() {
        return Err(Denial::Critical);
    }
    header.kid.ok_or(Denial::NoKeyId)
}

impl TokenRules {
    pub fn new(issuer: &str, audience: &str) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.set_issuer(&[issuer]);
        // Checked by `is_for_us`, because the audience may be in `client_id`.
        validation.validate_aud = false;
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        // Cancels the leeway for `exp`.
        validation.reject_tokens_expiring_in_less_than = LEEWAY;
        Self {
            validation,
            audience: audience.to_owned(),
        }
    }

    /// Verifies the signature with this key, then the claims.
    pub fn verify(&self, token: &str, key: &DecodingKey) -> Result<Verified, Denial> {
        let claims: Claims = decode(token, key, &self.validation)?.claims;
        if !self.is_for_us(&claims) {
            return Err(Denial::OtherAudience);
        }
        if claims.sub.is_empty() {
            return Err(Denial::NoClaim);
        }
        Ok(Verified {
            until: format!("{:.0}", claims.exp.floor()),
            issuer: claims.iss,
            subject: claims.sub,
        })
    }

    /// Compares `aud`, or `client_id` if there is no `aud` (access tokens of Cognito), as the HTTP
    /// API's authorizer does.
    fn is_for_us(&self, claims: &Claims) -> bool {
        match &claims.aud {
            Some(Audience::One(audience)) => *audience == self.audience,
            Some(Audience::Several(audiences)) => audiences.contains(&self.audience),
            None => claims.client_id.as_ref() == Some(&self.audience),
        }
    }
}
