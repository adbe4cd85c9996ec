//! Who may: every route of the template and every frame, as owner, as stranger, and with every token that is none.
//!
//! A stranger must see exactly what a session looks like that was never there: status, headers, body, and the database
//! calls that it cost. So these tests run one after another, and nothing else runs on their stack.
//!
//! Where MiniStack's JWT authorizer is not AWS's, these tests say nothing about AWS:
//! - It takes every signature for RS256 whatever `alg` says, so `none` and HS256 fail there for another reason than on AWS.
//! - It accepts a token without `exp`. AWS refuses it, and so does ours for the WebSocket.
//! - It accepts a token without the word Bearer, and an issuer without TLS.
//! - Like AWS it keeps the issuer's keys for two hours. So REST knows the keys that were published from the beginning,
//!   and what becomes of a withdrawn one is tried over the WebSocket alone.
//!
//! A refused handshake is a 403 in both: a Lambda authorizer can only say 401 by failing, which MiniStack takes for a 500.

mod routes;
mod sockets;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tests::calls::{self, count_calls, operations_since, settled};
use tests::canary::logged;
use tests::issuer::{Key, OWNER, in_seconds, issuer};
use tests::people::question;
use tests::rest::{RawReply, create_with, record, send, start};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::assert_no_errors_logged;
use crate::template::{Route, routes};

const STRANGER: &str = "stranger";
const TASK: &str = "Explain why the sea comes twice a day.";
/// What differs between any two replies, and tells nothing.
const OF_ONE_REPLY: [&str; 6] = [
    "date",
    "x-request-id",
    "apigw-requestid",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-amzn-trace-id",
];

/// Names of path parameters and what stands for them.
type Ids = BTreeMap<&'static str, String>;

/// What a caller sees of a request, and which database calls it has cost.
#[derive(Debug, PartialEq)]
struct Seen {
    reply: RawReply,
    operations: Vec<String>,
}

/// The owner's session asks its owner something, and nothing runs, while everyone else tries.
struct World {
    /// Of the session, its run and its open approval.
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
        settled().await;
        let approval = open["approval_id"].as_str().unwrap().to_owned();
        Self {
            before: record(&session).await,
            theirs: ids([session, run, approval]),
            _alone: alone,
        }
    }

    /// Nothing has changed the session, no function has logged an error, and no log has a token, whole or in part: every
    /// JWT begins with the same three letters.
    async fn end(self) {
        assert_eq!(record(&self.theirs["session_id"]).await, self.before);
        self.end_changed().await;
    }

    /// The same, where the owner has changed the session.
    async fn end_changed(self) {
        assert_no_errors_logged().await;
        let logged = logged().await;
        let tokens = logged.lines().filter(|line| line.contains("eyJ"));
        assert_eq!(tokens.count(), 0, "lines of a log have a token");
    }
}

fn ids(ids: [String; 3]) -> Ids {
    let names = ["session_id", "run_id", "approval_id"];
    names.into_iter().zip(ids).collect()
}

/// Ids of nothing.
fn missing() -> Ids {
    ids([(); 3].map(|()| Uuid::new_v4().to_string()))
}

/// A text with these ids in the place of their names in braces.
fn filled(text: &str, ids: &Ids) -> String {
    ids.iter().fold(text.to_owned(), |text, (name, id)| {
        text.replace(&format!("{{{name}}}"), id)
    })
}

/// One REST call. `route` is the template's key, with its parameters and perhaps a query.
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
    let path = filled(path, ids);
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

/// What a route needs to be sent so that its owner gets something; nothing for the others.
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
        _ => return None,
    })
}

/// Every HTTP route, the reads first and deletes last.
fn http_routes() -> Vec<Route> {
    let mut routes = routes();
    routes.retain(|route| !route.key.starts_with('$'));
    let place = |route: &Route| {
        let mut methods = ["GET", "POST", "DELETE"].iter();
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

/// Everything that must let no caller in; but for its fault each would be the owner's.
fn bad_tokens() -> Vec<(&'static str, Option<String>)> {
    let issuer = issuer();
    let [first, _] = &issuer.keys;
    // The other key under a known id.
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
