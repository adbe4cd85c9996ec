//! The issuer of tokens: where it says which keys are its own (OpenID Connect Discovery), and how it is asked.
//!
//! Two requests, each with two seconds and an answer of at most 256 KiB, no redirects, and nothing but https, unless the
//! issuer runs on this very machine.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use reqwest::{Client, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const DISCOVERY: &str = ".well-known/openid-configuration";
const REQUEST_TIME: Duration = Duration::from_secs(2);
const MAX_BYTES: usize = 256 * 1024;

/// Public keys by their `kid`.
pub type KeySet = HashMap<String, DecodingKey>;

/// Why the issuer's keys are not known.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer, or one that is no success.
    #[error("the issuer did not answer")]
    Http(#[from] reqwest::Error),
    /// More than anybody needs.
    #[error("the issuer's answer is larger than 256 KiB")]
    TooLarge,
    /// No JSON of the standard's shape.
    #[error("the issuer's answer cannot be read")]
    Malformed(#[from] serde_json::Error),
    /// The standard (OpenID Connect Discovery 4.3) forbids to go on.
    #[error("the discovery document is another issuer's")]
    OtherIssuer,
    /// It failed a moment ago.
    #[error("the issuer is not asked again so soon")]
    TooSoon,
}

/// The text is not the URL of an issuer.
#[derive(Debug, thiserror::Error)]
#[error("it must be an https URL without query and fragment; http only for this machine itself")]
pub struct NotAnIssuer;

/// An issuer, by its URL: as `iss` has it, to the letter.
#[derive(Debug)]
pub struct Issuer {
    url: String,
    client: Client,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Published {
    /// A key of another kind must not hide the others, so each is read by itself.
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct PublicKey {
    kid: String,
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    n: String,
    e: String,
}

impl FromStr for Issuer {
    type Err = NotAnIssuer;

    fn from_str(text: &str) -> Result<Self, NotAnIssuer> {
        let url = reqwest::Url::parse(text).map_err(|_| NotAnIssuer)?;
        let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let secure = url.scheme() == "https";
        if !(secure || local && url.scheme() == "http")
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(NotAnIssuer);
        }
        let client = Client::builder()
            .https_only(secure)
            .redirect(redirect::Policy::none())
            .timeout(REQUEST_TIME)
            .build()
            .map_err(|_| NotAnIssuer)?;
        Ok(Self {
            url: text.to_owned(),
            client,
        })
    }
}

impl Issuer {
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The keys that the issuer signs with now, and has signed with lately.
    pub async fn keys(&self) -> Result<KeySet, FetchError> {
        let place = format!("{}/{DISCOVERY}", self.url.trim_end_matches('/'));
        let discovery: Discovery = self.get(&place).await?;
        if discovery.issuer != self.url {
            return Err(FetchError::OtherIssuer);
        }
        let published: Published = self.get(&discovery.jwks_uri).await?;
        Ok(published.keys.into_iter().filter_map(usable).collect())
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, FetchError> {
        let mut reply = self.client.get(url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

/// A published key with its name, if RS256 can be verified with it.
fn usable(key: Value) -> Option<(String, DecodingKey)> {
    let key: PublicKey = serde_json::from_value(key).ok()?;
    let fits = key.kty == "RSA"
        && key.purpose.is_none_or(|purpose| purpose == "sig")
        && key.alg.is_none_or(|alg| alg == "RS256");
    let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
    fits.then_some((key.kid, decoding))
}
