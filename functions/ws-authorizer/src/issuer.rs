//! Fetches the keys that an issuer of tokens publishes (OpenID Connect Discovery).
//!
//! Two requests, each of at most two seconds and 256 KiB, without redirects, and by https unless
//! the issuer runs on the same machine.

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
    /// No reply, or a status other than success.
    #[error("the issuer did not answer")]
    Http(#[from] reqwest::Error),
    /// The reply is above the limit.
    #[error("the issuer's reply is larger than 256 KiB")]
    TooLarge,
    /// The reply is not the JSON that the standard defines.
    #[error("the issuer's reply cannot be read")]
    Malformed(#[from] serde_json::Error),
    /// The names differ (forbidden by OpenID Connect Discovery 4.3).
    #[error("the discovery document is another issuer's")]
    OtherIssuer,
    /// The last attempt failed less than a second ago.
    #[error("the issuer is not asked again so soon")]
    TooSoon,
}

/// The text is not the URL of an issuer.
#[derive(Debug, thiserror::Error)]
#[error("it must be an https URL without query and fragment; http only for this machine itself")]
pub struct InvalidIssuer;

/// An issuer. Its URL equals the claim `iss` exactly.
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
struct PublishedKeys {
    /// Each key is parsed alone, so that one of another kind does not hide the others.
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
    type Err = InvalidIssuer;

    fn from_str(text: &str) -> Result<Self, InvalidIssuer> {
        let url = reqwest::Url::parse(text).map_err(|_| InvalidIssuer)?;
        let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let secure = url.scheme() == "https";
        if !(secure || local && url.scheme() == "http")
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(InvalidIssuer);
        }
        let client = Client::builder()
            .https_only(secure)
            .redirect(redirect::Policy::none())
            .timeout(REQUEST_TIME)
            .build()
            .map_err(|_| InvalidIssuer)?;
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

    /// Fetches the keys.
    pub async fn keys(&self) -> Result<KeySet, FetchError> {
        let url = format!("{}/{DISCOVERY}", self.url.trim_end_matches('/'));
        let discovery: Discovery = self.get(&url).await?;
        if discovery.issuer != self.url {
            return Err(FetchError::OtherIssuer);
        }
        let published: PublishedKeys = self.get(&discovery.jwks_uri).await?;
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

/// A published key by its `kid`, if it verifies RS256 signatures.
fn usable(key: Value) -> Option<(String, DecodingKey)> {
    let key: PublicKey = serde_json::from_value(key).ok()?;
    let fits = key.kty == "RSA"
        && key.purpose.is_none_or(|purpose| purpose == "sig")
        && key.alg.is_none_or(|alg| alg == "RS256");
    let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
    fits.then_some((key.kid, decoding))
}
