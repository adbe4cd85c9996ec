//! For the tests of functions: a bucket with scripted replies that records its requests.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use http::Response;
use stub_http::stub_client;

use crate::Artifacts;

/// A bucket for the calls of a handler.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// For the handler.
    pub artifacts: Artifacts,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Bucket {
    /// The script receives the method and URL of each request and returns status, content type and
    /// body.
    pub fn new(
        script: impl Fn(&str, &str) -> (u16, &'static str, String) + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let book = Arc::clone(&asked);
        let http = stub_client(move |request| {
            let (method, url) = (request.method().as_str(), request.uri().to_string());
            let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
            book.push(format!("{method} {url}"));
            let (status, content_type, body) = script(method, &url);
            let response = Response::builder().status(status);
            let response = response.header("content-type", content_type).body(body);
            response.unwrap_or_default()
        });
        let settings = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("none", "none", None, None, "testing"))
            .region(Region::from_static("us-east-1"))
            .http_client(http)
            .build();
        let client = aws_sdk_s3::Client::from_conf(settings);
        Self {
            artifacts: Artifacts::new(client, "no-such-bucket"),
            asked,
        }
    }

    /// A bucket that refuses every request.
    pub fn silent() -> Self {
        Self::new(|_, _| (403, "application/xml", String::new()))
    }

    /// Every request so far, as method and URL.
    pub fn asked(&self) -> Vec<String> {
        let book = self.asked.lock();
        book.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
