//! For the tests of functions: requests as API Gateway sends them, and services that are out.
//!
//! A handler that refuses a request before it asks any service says so with its own code; one that asks says `unavailable`.
//! So one table of requests and codes tells both what is refused and that an outage is never an empty answer. What a handler makes
//! of several calls is told by recorded replies ([`Wire`]).

pub mod wire;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use lambda_http::{Body, Request, RequestExt as _};
use session::Rules;
use session_manager::SessionManager;

use crate::http::HttpReply;
use crate::{App, Authenticator, Code, EdgeSettings, Outbox, Problem, Push};

pub use wire::Wire;

const TABLE: &str = "no-such-table";

/// A session, a run and an approval that any test can name.
pub const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// A gate that knows the local owner, or nobody.
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

/// Push and no queue, to nobody.
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
    Outbox::without_queue(Push::new(client, app.sessions.clone()))
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

/// A request for a session, a run and an approval of this name.
pub fn of_session(id: &str) -> Request {
    let ids = ["session_id", "run_id", "approval_id"].map(|name| (name.to_owned(), id.to_owned()));
    Request::new(Body::Empty).with_path_parameters(std::collections::HashMap::from(ids))
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

/// What every route that reads a session must answer, and that it names these bad queries.
///
/// # Panics
/// When an answer is another one.
pub async fn reads(
    handle: impl AsyncFn(&App, Request) -> Result<HttpReply, Problem>,
    bad_queries: &[&str],
) {
    let app = app();
    let mut cases = vec![
        (of_session("x"), Code::SessionNotFound),
        (get(""), Code::Unavailable),
    ];
    cases.extend(
        bad_queries
            .iter()
            .map(|query| (get(query), Code::InvalidQuery)),
    );
    expect(|request| handle(&app, request), cases).await;
}

/// What every route that changes a session must answer, and what it says to these bodies.
///
/// # Panics
/// When an answer is another one.
pub async fn changes(
    handle: impl AsyncFn(&App, &Outbox, Request) -> Result<HttpReply, Problem>,
    bodies: &[(&str, Code)],
) {
    let app = app();
    let outbox = outbox(&app);
    let mut cases = vec![
        (of_session("x"), Code::SessionNotFound),
        (post("{"), Code::MalformedJson),
        (post("[]"), Code::InvalidField),
    ];
    cases.extend(bodies.iter().map(|(body, code)| (post(*body), *code)));
    expect(|request| handle(&app, &outbox, request), cases).await;
}
