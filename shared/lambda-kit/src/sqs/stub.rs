//! Queues without a network, for the tests of this folder.

use std::sync::{Arc, Mutex};

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use lambda_http::http::Response;
use serde_json::Value;
use stub_http::stub_client;

use super::{QueueUrls, Queues};

/// The queue of purges.
pub(super) const PURGES: &str = "http://queue.test/purges";

/// Queues that answer with this status, and what is sent to them.
pub(super) fn stub_queues(status: u16, purges: Option<&str>) -> (Queues, Arc<Mutex<Vec<Value>>>) {
    let sent = Arc::new(Mutex::new(Vec::<Value>::new()));
    let seen = sent.clone();
    let http = stub_client(move |request| {
        let body = request.body().bytes().unwrap_or_default();
        let message = serde_json::from_slice(body).unwrap();
        seen.lock().unwrap().push(message);
        let mut reply = Response::new(r#"{"MessageId": "m"}"#);
        *reply.status_mut() = status.try_into().unwrap();
        reply
    });
    let settings = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new("none", "none", None, None, "testing"))
        .region(Region::from_static("us-east-1"))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build();
    let urls = QueueUrls {
        models: "http://queue.test/models".into(),
        documents: "http://queue.test/documents".into(),
        purges: purges.map(str::to_owned),
    };
    let client = aws_sdk_sqs::Client::from_conf(settings);
    (Queues::new(client, urls), sent)
}
