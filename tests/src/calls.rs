//! A proxy in front of DynamoDB that records which calls a request makes and which partitions they
//! name.
//!
//! It forwards requests unchanged, including the host, which is signed.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::server;
use crate::stack::{eventually, stack};

/// The time without a call after which a request counts as complete. A function may still work
/// after its reply.
const SETTLED: Duration = Duration::from_millis(100);

static CALLS: Mutex<Vec<Call>> = Mutex::new(Vec::new());

/// A call that a function made.
#[derive(Debug, Clone)]
pub struct Call {
    /// The operation, such as `PutItem`.
    pub operation: String,
    /// The partition key in the request, if any. IAM compares it with `dynamodb:LeadingKeys`.
    pub partition: Option<String>,
}

/// Starts the proxy once per test binary, at the address where the stack's functions expect
/// DynamoDB.
pub fn count_calls() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| server::start(stack().port("COUNTED_DYNAMODB_URL"), answer));
}

/// The number of calls so far.
pub fn mark() -> usize {
    CALLS.lock().unwrap().len()
}

/// The calls since a mark.
pub fn since(mark: usize) -> Vec<Call> {
    CALLS.lock().unwrap()[mark..].to_vec()
}

/// The sorted operations since a mark. A function makes calls concurrently, so their order has no
/// meaning.
pub fn operations_since(mark: usize) -> Vec<String> {
    let calls = since(mark).into_iter();
    let mut operations: Vec<String> = calls.map(|call| call.operation).collect();
    operations.sort();
    operations
}

/// Waits until no function makes further calls.
pub async fn settled() {
    eventually("no more calls", || async {
        let before = mark();
        tokio::time::sleep(SETTLED).await;
        (mark() == before).then_some(())
    })
    .await;
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let body = body.unwrap_or_default();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let target = header("x-amz-target").unwrap_or_default();
    // A retry after a missing reply is the same call.
    if header("amz-sdk-request").is_none_or(|attempt| attempt.starts_with("attempt=1")) {
        CALLS.lock().unwrap().push(Call {
            operation: target.rsplit('.').next().unwrap_or_default().to_owned(),
            partition: partition(&serde_json::from_slice(&body).unwrap_or_default()),
        });
    }
    let request = Request::from_parts(head, Full::new(body));
    forward(request).await.unwrap_or_else(|_| {
        Response::builder()
            .status(502)
            .body(Full::default())
            .unwrap()
    })
}

fn partition(request: &Value) -> Option<String> {
    let named = match request["KeyConditionExpression"].as_str() {
        Some(condition) => {
            let value = condition.trim_start().strip_prefix("PK = ")?;
            &request["ExpressionAttributeValues"][value.split(' ').next()?]
        }
        None => [&request["Key"], &request["Item"]]
            .into_iter()
            .find(|key| key.is_object())?
            .get("PK")?,
    };
    Some(named["S"].as_str()?.to_owned())
}

async fn forward(
    request: Request<Full<Bytes>>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let upstream = stack()
        .get("AWS_ENDPOINT_URL")
        .trim_start_matches("http://");
    let stream = TcpStream::connect(upstream).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (mut head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    for name in [
        "connection",
        "keep-alive",
        "transfer-encoding",
        "content-length",
    ] {
        head.headers.remove(name);
    }
    Ok(Response::from_parts(head, Full::new(body)))
}

/// Asserts that each partition named by the calls since the mark is among `allowed`.
///
/// # Panics
/// When a call named another partition, or none was made.
pub fn assert_within(what: &str, mark: usize, allowed: &[String]) {
    let calls = since(mark);
    assert!(!calls.is_empty(), "{what}: no call");
    let allowed: HashSet<&str> = allowed
        .iter()
        .map(|key| key.trim_end_matches('*'))
        .collect();
    for call in calls {
        let named = call.partition.as_deref().unwrap_or_default();
        let within = allowed.iter().any(|prefix| named.starts_with(prefix));
        assert!(within, "{what} named {named} by {}", call.operation);
    }
}
