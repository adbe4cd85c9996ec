//! What makes a token good: RS256 by a named key, `iss`, `aud`, `exp`, `nbf` and `sub`.
//!
//! The algorithm is pinned, so that neither `none` nor a public key used as an HMAC secret gets anywhere. RS256 alone, because
//! the HTTP API's own authorizer takes only RSA signatures, and a token must not be good for one half of the API.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::Denied;

/// How far the issuer's clock may be ahead of ours, in seconds. For `exp` nothing is given: the connection ends with its token.
const LEEWAY: u64 = 10;

/// Whose token it is, and until when.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    /// The issuer.
    pub issuer: String,
    /// The subject, in the issuer's words.
    pub subject: String,
    /// `exp`, in whole seconds since 1970.
    pub until: String,
}

/// The conditions, fixed at the cold start.
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

/// One or several, as RFC 7519 has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Which key has signed the token, by the token's own word: to be believed only once that key has verified it.
pub fn key_id(token: &str) -> Result<String, Denied> {
    // The reader knows no algorithm `none`, so that such a token is malformed to it.
    let header = decode_header(token)?;
    if header.alg != Algorithm::RS256 {
        return Err(Denied::OtherAlgorithm);
    }
    // RFC 7515, 4.1.11: who does not understand what `crit` names must not accept.
    if header.crit.is_some() {
        return Err(Denied::Critical);
    }
    header.kid.ok_or(Denied::NoKeyId)
}

impl TokenRules {
    pub fn new(issuer: &str, audience: &str) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.set_issuer(&[issuer]);
        // Ours to look at: it may stand in `client_id`.
        validation.validate_aud = false;
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        // Takes the leeway away again where it would let an old token in.
        validation.reject_tokens_expiring_in_less_than = LEEWAY;
        Self {
            validation,
            audience: audience.to_owned(),
        }
    }

    /// Verifies the signature with this key, then the claims.
    pub fn verify(&self, token: &str, key: &DecodingKey) -> Result<Verified, Denied> {
        let claims: Claims = decode(token, key, &self.validation)?.claims;
        if !self.is_for_us(&claims) {
            return Err(Denied::OtherAudience);
        }
        if claims.sub.is_empty() {
            return Err(Denied::NoClaim);
        }
        Ok(Verified {
            until: format!("{:.0}", claims.exp.floor()),
            issuer: claims.iss,
            subject: claims.sub,
        })
    }

    /// As the HTTP API's authorizer has it: `aud` decides, and `client_id` where there is none (access tokens of Cognito).
    fn is_for_us(&self, claims: &Claims) -> bool {
        match &claims.aud {
            Some(Audience::One(audience)) => *audience == self.audience,
            Some(Audience::Several(audiences)) => audiences.contains(&self.audience),
            None => claims.client_id.as_ref() == Some(&self.audience),
        }
    }
}
