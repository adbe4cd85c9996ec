//! One HTTP request to a model service. Adds the key, sends the request once, reads the reply up to
//! a limit, and converts every reply that is no JSON or holds an error into a [`ProviderError`],
//! whatever its status. Replies are never logged.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use reqwest::{Client, Request, Url, redirect::Policy};
use serde_json::Value;

use super::{
    key::Keyring,
    reply::{error_in, failure, usage_in},
};
use crate::{ModelConfigError, ProviderError, Secret, lenient_json, provider::FailedReply};

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
        // A redirect would send the key and the question to a host that nobody has configured.
        let client = Client::builder()
            .redirect(Policy::none())
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
    /// Sends a request and returns the JSON of a reply without an error. If the key is refused and
    /// the store has a newer one, the request is repeated once.
    pub(crate) async fn send(&self, request: Request) -> Result<Value, FailedReply> {
        let Some(keys) = &self.keys else {
            return self.send_once(request, None).await;
        };
        let key = keys.current().await?;
        let again = request.try_clone();
        let refused = match self.send_once(request, Some(&key)).await {
            Err(failed) if failed.error.is_about_the_key() => failed,
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
    ) -> Result<Value, FailedReply> {
        if let Some(key) = key {
            let (name, value) = self.key_header.header(key)?;
            request.headers_mut().insert(name, value);
        }
        let response = self.http.client()?.execute(request);
        let response = response.await.map_err(connection)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = whole(response).await?;
        let reply = lenient_json::from_bytes(&body);
        if !status.is_success() {
            let reply = reply.unwrap_or_default();
            let error = error_in(&reply).unwrap_or(&reply);
            return Err(failure(Some(status.as_u16()), error, &headers).into());
        }
        let reply = reply.ok().filter(Value::is_object);
        let reply = reply.ok_or(ProviderError::Garbled)?;
        match error_in(&reply) {
            Some(error) => {
                let error = failure(None, error, &headers);
                Err(FailedReply::reported(error, usage_in(&reply)))
            }
            None => Ok(reply),
        }
    }
}

/// The base of a service's URLs, without a trailing slash. Questions and keys leave the machine
/// encrypted.
pub(crate) fn base_url(
    variable: &'static str,
    configured: Option<&str>,
    default: &'static str,
) -> Result<String, ModelConfigError> {
    let url = configured.unwrap_or(default).trim_end_matches('/');
    let parsed = Url::parse(url).map_err(|_| ModelConfigError::BadUrl(variable))?;
    let is_safe = match parsed.scheme() {
        "https" => true,
        "http" => is_loopback(&parsed),
        _ => false,
    };
    is_safe
        .then(|| url.to_owned())
        .ok_or(ModelConfigError::BadUrl(variable))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
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
