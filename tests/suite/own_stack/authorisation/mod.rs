//! Authorisation: every route of the template and every frame, as the owner, as a stranger, and
//! with every invalid token.
//!
//! For a stranger, an existing session must look exactly like a missing one: status, headers, body,
//! and the number of database calls. Therefore these tests run one after another on a stack of
//! their own.
//!
//! MiniStack's JWT authorizer differs from AWS's, so these cases say nothing about AWS:
//! - It treats every signature as RS256 and ignores `alg`, so `none` and HS256 fail there for
//!   another reason than on AWS.
//! - It accepts a token without `exp`. AWS refuses it, and so does this project's authorizer for
//!   the WebSocket.
//! - It accepts a token without the word Bearer, and an issuer without TLS.
//! - Like AWS it caches the issuer's keys for two hours. REST therefore knows only the keys
//!   published at the start, and a withdrawn key is tested over the WebSocket alone.
//!
//! A refused handshake is a 403 in both. A Lambda authorizer can cause a 401 only by failing, which
//! MiniStack turns into a 500.

mod routes;
mod sockets;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tests::calls::{self, count_calls, operations_since, settled};
use tests::canary::logged;
use tests::files::upload;
use tests::issuer::{Key, OWNER, in_seconds, issuer};
use tests::people::question;
use tests::rest::{RawReply, create_with, record, send, start};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::assert_no_errors_logged;
use crate::template::{Route, routes};

const STRANGER: &str = "stranger";
const TASK: &str = "Explain why the sea comes twice a day.";
/// The headers that differ between any two replies.
const OF_ONE_REPLY: [&str; 6] = [
    "date",
    "x-request-id",
    "apigw-requestid",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-amzn-trace-id",
];

/// Path parameters and their values.
type Ids = BTreeMap<&'static str, String>;

/// What a caller sees of a request, and the database calls that it made.
#[derive(Debug, PartialEq)]
struct Seen {
    reply: RawReply,
    operations: Vec<String>,
}

/// The owner's session waits for an answer, has a file, and no run is active, while other callers
/// try.
struct World {
    /// The ids of the session, its run and its open approval.
    theirs: Ids,
    before: Vec<Value>,
    _alone: MutexGuard<'static, ()>,
}

impl World {
    async fn new() -> Self {
        static ALONE: Mutex<()> = Mutex::const_new(());
        let alone = ALONE.lock().await;
        issuer();
        count_calls();
        let config = json!({"hitlVariant": "planning_only", "nPlanReviews": 0});
        let session = create_with("hitl-interactive", &config).await;
        let run = start(&session, TASK).await;
        let open = question(&session, "during_planning").await;
        upload(&session, "a.txt", "text/plain", b"tides").await;
        settled().await;
        let approval = open["approval_id"].as_str().unwrap().to_owned();
        Self {
            before: record(&session).await,
            theirs: ids([session, run, approval]),
            _alone: alone,
        }
    }

    /// Asserts that the session is unchanged, no function has logged an error, and no log contains
    /// a part of a token. Every JWT begins with the same three letters.
    async fn end(self) {
        assert_eq!(record(&self.theirs["session_id"]).await, self.before);
        self.end_changed().await;
    }

    /// The same, after a change by the owner.
    async fn end_changed(self) {
        assert_no_errors_logged().await;
        let logged = logged().await;
        let tokens = logged.lines().filter(|line| line.contains("eyJ"));
        assert_eq!(tokens.count(), 0, "lines of a log have a token");
    }
}

fn ids(ids: [String; 3]) -> Ids {
    let names = ["session_id", "run_id", "approval_id"];
    let node = ("node_id", "planning".to_owned());
    names.into_iter().zip(ids).chain([node]).collect()
}

/// Ids that refer to nothing.
fn missing() -> Ids {
    ids([(); 3].map(|()| Uuid::new_v4().to_string()))
}

/// A text with the names in braces replaced by these ids.
fn filled(text: &str, ids: &Ids) -> String {
    ids.iter().fold(text.to_owned(), |text, (name, id)| {
        text.replace(&format!("{{{name}}}"), id)
    })
}

/// One REST call. `route` is the template's key with its parameters and an optional query.
async fn ask(token: Option<&str>, route: &str, ids: &Ids) -> Seen {
    ask_with(token, route, ids, body_of(route).as_ref(), &[]).await
}

async fn ask_with(
    token: Option<&str>,
    route: &str,
    ids: &Ids,
    body: Option<&Value>,
    headers: &[(&str, &str)],
) -> Seen {
    let (method, path) = route.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let body = body.map(Value::to_string);
    let mark = calls::mark();
    let path = filled(&format!("{path}{}", query_of(path)), ids);
    let mut reply = send(token, &method, &path, body.as_deref(), headers).await;
    if let Some(id) = reply.headers.get("x-request-id") {
        reply.text = reply.text.replace(id, "<request id>");
    }
    reply
        .headers
        .retain(|name, _| !OF_ONE_REPLY.contains(&name.as_str()));
    let operations = operations_since(mark);
    Seen { reply, operations }
}

impl Seen {
    fn status(&self) -> u16 {
        self.reply.status
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.reply.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// The query that a route needs to succeed for its owner, if the path has none.
fn query_of(path: &str) -> &'static str {
    match path {
        "/api/files/content" | "/api/files/download" => "?path={session_id}/uploads/a.txt",
        _ if path.starts_with("/api/nodes/") && !path.contains('?') => "?run_id={run_id}",
        _ => "",
    }
}

/// The body that a route needs to succeed for its owner; none for other routes.
fn body_of(route: &str) -> Option<Value> {
    Some(match route {
        "POST /api/sessions" => json!({"mode": "one-shot"}),
        "POST /api/sessions/{session_id}/runs" => json!({"task": TASK}),
        "POST /api/sessions/{session_id}/approvals/{approval_id}" => {
            json!({"resolution": "approve"})
        }
        "POST /api/sessions/{session_id}/uploads" => {
            json!({"name": "a.txt", "content_type": "text/plain", "size": 1})
        }
        "PATCH /api/sessions/{session_id}" => json!({"name": "Tides"}),
        _ => return None,
    })
}

/// Every HTTP route of the API, reads first and deletes last. The console's page is for everybody.
fn http_routes() -> Vec<Route> {
    let mut routes = routes();
    routes.retain(|route| route.key.contains(" /api/"));
    let place = |route: &Route| {
        let mut methods = ["GET", "POST", "PATCH", "DELETE"].iter();
        methods.position(|method| route.key.starts_with(method))
    };
    routes.sort_by_key(place);
    routes
}

/// A session of the stranger's own.
async fn own_session(mode: &str) -> Ids {
    let token = issuer().token(STRANGER);
    let body = json!({"mode": mode});
    let route = "POST /api/sessions";
    let made = ask_with(Some(&token), route, &missing(), Some(&body), &[]).await;
    let id = made.json()["session_id"].as_str().unwrap().to_owned();
    Ids::from([("session_id", id)])
}

/// Every kind of invalid token. Apart from one fault each is the owner's.
fn bad_tokens() -> Vec<(&'static str, Option<String>)> {
    let issuer = issuer();
    let [first, _] = &issuer.keys;
    // The other key under a known key id.
    let other = Key::new("first").signed(&first.header(), &issuer.claims(OWNER));
    let with = |claim: &str, value: Value| Some(issuer.token_with(claim, value));
    let headed = |field: &str, value: &str| Some(issuer.token_headed(field, value));
    vec![
        ("no token", None),
        ("no JWT", Some("forged".into())),
        ("an expired token", with("exp", json!(in_seconds(-1)))),
        (
            "a token of tomorrow",
            with("nbf", json!(in_seconds(86_400))),
        ),
        ("another audience", with("aud", json!("another"))),
        (
            "another issuer",
            with("iss", json!("https://issuer.example")),
        ),
        ("no subject", with("sub", Value::Null)),
        ("alg none", headed("alg", "none")),
        ("HS256 with the public key", headed("alg", "HS256")),
        ("an unknown kid", headed("kid", "made-up")),
        ("another key under a known kid", Some(other)),
    ]
}
