//! The REST client of the tests. A call returns status, body and request id, and checks what every
//! reply must have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::issuer::owner_token;
use crate::schema::hold_reply;
use crate::stack::{eventually, stack};

/// A reply.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Value,
}

impl Reply {
    /// The body of a success.
    pub fn ok(self) -> Value {
        assert!(self.status < 300, "{self:?}");
        self.body
    }

    /// The status and the code of an error.
    pub fn problem(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

/// A reply without any check.
#[derive(Debug, PartialEq)]
pub struct RawReply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub text: String,
}

/// The routes that have answered with success: method, and path without the query.
pub fn succeeded() -> BTreeSet<(String, String)> {
    SUCCEEDED.lock().unwrap().clone()
}

static SUCCEEDED: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

/// Makes a request with or without a token. Checks nothing.
pub async fn send(
    token: Option<&str>,
    method: &Method,
    path: &str,
    body: Option<&str>,
    headers: &[(&str, &str)],
) -> RawReply {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60));
    let url = format!("{}{path}", stack().get("HTTP_URL"));
    let mut request = client.build().unwrap().request(method.clone(), &url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_owned());
    }
    let reply = request.send().await.unwrap();
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let raw = RawReply {
        status: reply.status().as_u16(),
        headers: reply.headers().iter().map(text).collect(),
        text: reply.text().await.unwrap(),
    };
    if raw.status < 300 {
        let path = path.split('?').next().unwrap_or(path).to_owned();
        SUCCEEDED.lock().unwrap().insert((method.to_string(), path));
    }
    raw
}

/// Calls `path`, as the owner if the stack requires a token, and checks what every reply must have:
/// JSON, `x-request-id`, and the schema in `infra/openapi.json`.
pub async fn call(
    method: Method,
    path: &str,
    body: Option<&str>,
    headers: &[(&str, &str)],
) -> Reply {
    let token = owner_token();
    let RawReply {
        status,
        headers,
        text,
    } = send(token.as_deref(), &method, path, body, headers).await;
    let body: Value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: not JSON: {text}"));
    let request_id = headers.get("x-request-id");
    let request_id = request_id.unwrap_or_else(|| panic!("{path}: no x-request-id"));
    if status >= 400 {
        assert_eq!(body["request_id"], *request_id, "{path}: {body}");
    }
    hold_reply(&method, path, status, &body);
    Reply { status, body }
}

/// `GET`.
pub async fn get(path: &str) -> Reply {
    call(Method::GET, path, None, &[]).await
}

/// `POST` of a JSON value.
pub async fn post(path: &str, body: &Value) -> Reply {
    call(Method::POST, path, Some(&body.to_string()), &[]).await
}

/// `POST` without a body.
pub async fn post_empty(path: &str) -> Reply {
    call(Method::POST, path, None, &[]).await
}

/// `PATCH` with a JSON value.
pub async fn patch(path: &str, body: &Value) -> Reply {
    call(Method::PATCH, path, Some(&body.to_string()), &[]).await
}

/// `DELETE`.
pub async fn delete(path: &str) -> Reply {
    call(Method::DELETE, path, None, &[]).await
}

/// Creates a session and returns its id.
pub async fn create(mode: &str) -> String {
    create_with(mode, &json!({})).await
}

/// Creates a session with a configuration and returns its id.
pub async fn create_with(mode: &str, config: &Value) -> String {
    let body = json!({"mode": mode, "config": config});
    let summary = post("/api/sessions", &body).await.ok();
    summary["session_id"].as_str().unwrap().to_owned()
}

/// Starts a run and returns its id.
pub async fn start(session: &str, task: &str) -> String {
    let reply = post(
        &format!("/api/sessions/{session}/runs"),
        &json!({"task": task}),
    )
    .await;
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.body["id"].as_str().unwrap().to_owned()
}

/// The session's detail.
pub async fn detail(session: &str) -> Value {
    get(&format!("/api/sessions/{session}")).await.ok()
}

/// Waits until the session's detail satisfies `condition`.
pub async fn until(session: &str, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("{what} of {session}"), || async {
        let detail = detail(session).await;
        condition(&detail).then_some(detail)
    })
    .await
}

/// Waits until the session has this status.
pub async fn until_status(session: &str, status: &str) -> Value {
    until(session, status, |detail| detail["status"] == status).await
}

/// The whole record, page by page. Checks that `seq` has no gap.
pub async fn record(session: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    let mut after = 0;
    loop {
        let page = get(&format!(
            "/api/sessions/{session}/events?after={after}&limit=500"
        ))
        .await
        .ok();
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        match page["next_after"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], place as u64 + 1, "a gap in {session}");
    }
    events
}

/// The session's newest run.
pub async fn newest_run(session: &str) -> Value {
    let page = get(&format!("/api/sessions/{session}/runs?limit=1")).await;
    page.ok()["runs"][0].take()
}

/// The types of the record's events, in order.
pub fn types(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["event_type"].as_str().unwrap())
        .collect()
}

/// The number of events of this type in the record.
pub fn count(events: &[Value], event_type: &str) -> usize {
    events
        .iter()
        .filter(|event| event["event_type"] == event_type)
        .count()
}
