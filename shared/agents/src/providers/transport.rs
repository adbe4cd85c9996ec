//! One HTTP request to a model service. Adds the key, sends the request once, reads the reply up to
//! a limit, and converts every other reply than a well-formed success into a [`ProviderError`].
//! Replies are never logged and do not leave this file.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{Client, Request, Url};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::key::Keyring;
use crate::{ModelConfigError, ProviderError, Secret};

/// The maximum size of a reply, in bytes: far above the longest answer of any model, far below a
/// function's memory.
const MAX_REPLY: usize = 8 * 1024 * 1024;

/// The shared HTTP client, created at the first request. It reads the machine's certificates, which
/// most cold starts do not need.
#[derive(Clone, Debug, Default)]
pub(crate) struct Http(Arc<OnceLock<Client>>);

impl Http {
    pub(crate) fn client(&self) -> Result<&Client, ProviderError> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let client = Client::builder()
            .build()
            .map_err(|error| ProviderError::Request(Box::new(error)))?;
        Ok(self.0.get_or_init(|| client))
    }
}

/// The header that carries a service's key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyHeader {
    Bearer,
    XApiKey,
}

impl KeyHeader {
    fn header(self, key: &Secret) -> Result<(HeaderName, HeaderValue), ProviderError> {
        let (name, text) = match self {
            Self::Bearer => (AUTHORIZATION, format!("Bearer {}", key.expose())),
            Self::XApiKey => (
                HeaderName::from_static("x-api-key"),
                key.expose().to_owned(),
            ),
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|error| ProviderError::Request(Box::new(error)))?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

/// The connection to one service.
#[derive(Debug)]
pub(crate) struct Transport {
    pub http: Http,
    pub keys: Option<Keyring>,
    pub key_header: KeyHeader,
}

impl Transport {
    /// Sends a request and returns its JSON. If the key is refused and the store has a newer one,
    /// the request is repeated once.
    pub(crate) async fn send(&self, request: Request) -> Result<Bytes, ProviderError> {
        let Some(keys) = &self.keys else {
            return self.send_once(request, None).await;
        };
        let key = keys.current().await?;
        let again = request.try_clone();
        let refused = match self.send_once(request, Some(&key)).await {
            Err(error) if error.is_about_the_key() => error,
            other => return other,
        };
        match (again, keys.instead_of(&key).await) {
            (Some(request), Some(newer)) => self.send_once(request, Some(&newer)).await,
            _ => Err(refused),
        }
    }

    async fn send_once(
        &self,
        mut request: Request,
        key: Option<&Secret>,
    ) -> Result<Bytes, ProviderError> {
        if let Some(key) = key {
            let (name, value) = self.key_header.header(key)?;
            request.headers_mut().insert(name, value);
        }
        let response = self.http.client()?.execute(request);
        let response = response.await.map_err(connection)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = whole(response).await?;
        if !status.is_success() {
            return Err(refusal(status.as_u16(), &headers, &body));
        }
        if serde_json::from_slice::<IgnoredAny>(&body).is_err() {
            return Err(ProviderError::Garbled);
        }
        Ok(body)
    }
}

/// The base of a service's URLs, without a trailing slash.
pub(crate) fn base_url(
    variable: &'static str,
    configured: Option<&str>,
    default: &'static str,
) -> Result<String, ModelConfigError> {
    let url = configured.unwrap_or(default).trim_end_matches('/');
    let parsed = Url::parse(url).map_err(|_| ModelConfigError::BadUrl(variable))?;
    if matches!(parsed.scheme(), "http" | "https") {
        Ok(url.to_owned())
    } else {
        Err(ModelConfigError::BadUrl(variable))
    }
}

/// The whole body, of which at most [`MAX_REPLY`] is held.
async fn whole(mut response: reqwest::Response) -> Result<Bytes, ProviderError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(connection)? {
        if body.len() + chunk.len() > MAX_REPLY {
            return Err(ProviderError::Garbled);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn connection(error: reqwest::Error) -> ProviderError {
    // The URL may contain an internal host name or path.
    ProviderError::Connection(Box::new(error.without_url()))
}

/// The status, the short code and the requested wait of an error, without its messages.
fn refusal(status: u16, headers: &HeaderMap, body: &Bytes) -> ProviderError {
    #[derive(Deserialize)]
    struct Body {
        error: Codes,
    }
    #[derive(Deserialize)]
    struct Codes {
        code: Option<Value>,
        r#type: Option<Value>,
    }
    let code = serde_json::from_slice::<Body>(body).ok().and_then(|body| {
        [body.error.code, body.error.r#type]
            .iter()
            .flatten()
            .find_map(|code| short_code(code.as_str()?))
    });
    let asked = headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok());
    ProviderError::Status {
        status,
        code,
        retry_after: asked.and_then(|asked| retry_after(asked, Timestamp::now())),
    }
}

/// A code that is short enough for the log.
pub(crate) fn short_code(code: &str) -> Option<String> {
    let is_code = code.len() <= 64
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    is_code.then(|| code.to_owned())
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}
