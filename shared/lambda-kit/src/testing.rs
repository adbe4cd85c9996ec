//! For the tests of functions: requests as API Gateway sends them, and recorded replies of services
//! ([`Wire`]).

pub mod wire;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use lambda_http::{Body, Request, RequestExt as _};
use serde_json::{Value, json};
use session::{Rules, State};
use session_manager::SessionManager;

use crate::http::HttpReply;
use crate::{App, Authenticator, Code, EdgeSettings, Outbox, Problem, Push};

pub use wire::Wire;

const TABLE: &str = "no-such-table";

/// A session, a run and an approval that any test can name.
pub const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// An authenticator for the local owner, or for none.
pub fn gate(owner: Option<&str>) -> Authenticator {
    let settings = EdgeSettings::read(|name| {
        (name == "OWNER")
            .then(|| owner.map(str::to_owned))
            .flatten()
    });
    Authenticator::new(&settings.expect("nothing else is set, and every default parses"))
}

/// For the local owner, over a table that does not exist.
pub fn app() -> App {
    Wire::default().app()
}

/// A push without followers, and no queue.
pub fn outbox(app: &App) -> Outbox {
    Wire::default().outbox(app)
}

fn app_with(http: SharedHttpClient) -> App {
    let settings = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials())
        .region(Region::from_static("us-east-1"))
        .http_client(http)
        .build();
    let client = aws_sdk_dynamodb::Client::from_conf(settings);
    App {
        authenticator: gate(Some("local")),
        sessions: SessionManager::new(client, TABLE, Rules::default()),
    }
}

fn outbox_with(app: &App, http: SharedHttpClient) -> Outbox {
    let settings = aws_sdk_apigatewaymanagement::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials())
        .region(Region::from_static("us-east-1"))
        .endpoint_url("http://connections.test")
        .http_client(http)
        .build();
    let client = aws_sdk_apigatewaymanagement::Client::from_conf(settings);
    Outbox::without_queues(Push::new(client, app.sessions.clone()))
}

fn credentials() -> Credentials {
    Credentials::new("none", "none", None, None, "testing")
}

/// A request for the session, the run and the approval [`ID`], with a query.
pub fn get(query: &str) -> Request {
    let query: lambda_http::aws_lambda_events::query_map::QueryMap =
        query.parse().unwrap_or_default();
    of_session(ID).with_query_string_parameters(query)
}

/// A request for the session, the run and the approval [`ID`], with a body.
pub fn post(body: impl Into<String>) -> Request {
    let mut request = of_session(ID);
    *request.body_mut() = Body::Text(body.into());
    request
}

/// A request for a session, a run and an approval of this name, and the node `step_1`.
pub fn of_session(id: &str) -> Request {
    let ids = ["session_id", "run_id", "approval_id"].map(|name| (name.to_owned(), id.to_owned()));
    let node = ("node_id".to_owned(), "step_1".to_owned());
    let ids = ids.into_iter().chain([node]);
    Request::new(Body::Empty).with_path_parameters(ids.collect::<std::collections::HashMap<_, _>>())
}

/// Holds a handler against a table of requests and the codes that it must answer with.
///
/// # Panics
/// When an answer is another one.
pub async fn expect<F>(
    handle: impl Fn(Request) -> F,
    cases: impl IntoIterator<Item = (Request, Code)>,
) where
    F: Future<Output = Result<HttpReply, Problem>>,
{
    for (request, code) in cases {
        let asked = format!(
            "{:?} {:?}",
            request.body(),
            request.query_string_parameters_ref()
        );
        let answered = handle(request).await.map_err(|problem| problem.code());
        assert_eq!(answered, Err(code), "{asked}");
    }
}

/// The reply of a route that reads a session, over these replies of the table. The route must also
/// refuse an unknown id and these queries, and answer an outage with `unavailable`.
///
/// # Panics
/// When it does not.
pub async fn reads(
    handle: impl AsyncFn(&App, Request) -> Result<HttpReply, Problem>,
    bad_queries: &[&str],
    replies: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let unknown = (of_session("x"), Code::SessionNotFound);
    reads_with(handle, unknown, "", bad_queries, replies).await
}

/// The reply of a route that reads a run by its id alone, as [`reads`].
///
/// # Panics
/// When it does not.
pub async fn reads_run(
    handle: impl AsyncFn(&App, Request) -> Result<HttpReply, Problem>,
    bad_queries: &[&str],
    replies: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let unknown = (of_session("x"), Code::RunNotFound);
    reads_with(handle, unknown, "", bad_queries, replies).await
}

/// The reply of a route that reads a node of the run in its query, as [`reads`].
///
/// # Panics
/// When it does not.
pub async fn reads_node(
    handle: impl AsyncFn(&App, Request) -> Result<HttpReply, Problem>,
    bad_queries: &[&str],
    replies: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let unknown = (get("run_id=x"), Code::InvalidQuery);
    let query = format!("run_id={ID}");
    reads_with(handle, unknown, &query, bad_queries, replies).await
}

async fn reads_with(
    handle: impl AsyncFn(&App, Request) -> Result<HttpReply, Problem>,
    unknown: (Request, Code),
    query: &str,
    bad_queries: &[&str],
    replies: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let silent = app();
    let mut cases = vec![unknown, (get(query), Code::Unavailable)];
    cases.extend(
        bad_queries
            .iter()
            .map(|query| (get(query), Code::InvalidQuery)),
    );
    expect(|request| handle(&silent, request), cases).await;
    success(handle(&Wire::new(replies).app(), get(query)).await)
}

/// The reply to an action on the session [`ID`], with its sentence.
pub fn done(message: &str) -> Value {
    json!({"success": true, "session_id": ID, "message": message})
}

/// Checks that a route that changes a session refuses an unknown id, these bodies, and all that is
/// no JSON object, before it calls any service.
///
/// # Panics
/// When it does not.
pub async fn refuses(
    handle: impl AsyncFn(&App, &Outbox, Request) -> Result<HttpReply, Problem>,
    bodies: &[(&str, Code)],
) {
    let wire = Wire::default();
    let app = wire.app();
    let outbox = wire.outbox(&app);
    let mut cases = vec![
        (of_session("x"), Code::SessionNotFound),
        (post("{"), Code::MalformedJson),
        (post("[]"), Code::InvalidField),
    ];
    cases.extend(bodies.iter().map(|(body, code)| (post(*body), *code)));
    expect(|request| handle(&app, &outbox, request), cases).await;
    assert!(wire.asked().is_empty(), "{:?}", wire.asked());
}

/// The reply of a route that changes a session in this state. The change must be one read, one
/// write, and the read of the followers.
///
/// # Panics
/// When the route refuses it, or needs other operations.
pub async fn changes(
    handle: impl AsyncFn(&App, &Outbox, Request) -> Result<HttpReply, Problem>,
    state: &State,
    body: &str,
) -> Value {
    let wire = Wire::new([
        ("Query", wire::found(&[wire::entry(state)])),
        ("TransactWriteItems", json!({})),
        ("Query", wire::found(&[])),
    ]);
    let app = wire.app();
    let reply = handle(&app, &wire.outbox(&app), post(body)).await;
    assert_eq!(wire.asked(), ["Query", "TransactWriteItems", "Query"]);
    success(reply)
}

/// A reply's body.
///
/// # Panics
/// When it is a problem.
pub fn success(reply: Result<HttpReply, Problem>) -> Value {
    let reply = reply.expect("a success");
    serde_json::from_str(reply.json()).expect("a reply is JSON")
}
