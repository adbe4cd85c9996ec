//! HTTP: from API Gateway's event to a handler, and back to a response.
//!
//! A handler returns a [`HttpReply`] or a [`Problem`]. This module adds the content type, the error
//! body and `x-request-id`, which is the invocation's id in the log. Nothing runs after a response.

mod query;
mod request;

use std::convert::Infallible;
use std::time::Duration;

use lambda_http::http::HeaderName;
use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION, RETRY_AFTER,
};
use lambda_http::{Request, RequestExt as _, Response, run, service_fn};
use serde::Serialize;
use tracing::Instrument as _;

use crate::{Problem, logs};

pub use query::Query;
pub use request::{
    approval_id, body, first_time, no_body, node_id, optional_body, request_key, run_id, session_id,
};

/// How long a handler may take. The function's limit is 10 seconds: the client gets this error body
/// and not the gateway's.
const HANDLER_TIME: Duration = Duration::from_secs(9);

/// The media type of Markdown (RFC 7763).
pub const MARKDOWN: &str = "text/markdown; charset=utf-8";

const JSON: &str = "application/json";

/// A handler's success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    status: u16,
    headers: Vec<(HeaderName, String)>,
    body: String,
}

impl HttpReply {
    /// 200 with a value.
    ///
    /// # Errors
    /// `internal` for a value that JSON cannot express.
    pub fn ok(value: &impl Serialize) -> Result<Self, Problem> {
        Self::new(200, value)
    }

    /// 202 with a value: the work has only begun.
    ///
    /// # Errors
    /// As [`HttpReply::ok`].
    pub fn accepted(value: &impl Serialize) -> Result<Self, Problem> {
        Self::new(202, value)
    }

    /// 302 to a URL, which is a secret of the caller.
    pub fn redirect(url: String) -> Self {
        Self {
            status: 302,
            headers: vec![(LOCATION, url), (CACHE_CONTROL, "no-store".to_owned())],
            body: String::new(),
        }
    }

    /// 200 with a Markdown file, which a browser saves under this name, of letters, digits and
    /// `.` alone.
    pub fn markdown_file(name: &str, text: String) -> Self {
        let disposition = format!("attachment; filename=\"{name}\"");
        Self {
            status: 200,
            headers: vec![
                (CONTENT_TYPE, MARKDOWN.to_owned()),
                (CONTENT_DISPOSITION, disposition),
            ],
            body: text,
        }
    }

    fn new(status: u16, value: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            status,
            headers: vec![(CONTENT_TYPE, JSON.to_owned())],
            body: serde_json::to_string(value)?,
        })
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The body, which is JSON text except for files.
    pub fn json(&self) -> &str {
        &self.body
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Serves requests until the process ends.
///
/// # Errors
/// When the Lambda runtime itself fails.
pub async fn serve<H, F>(handler: H) -> Result<(), lambda_http::Error>
where
    H: Fn(Request) -> F,
    F: Future<Output = Result<HttpReply, Problem>> + Send,
{
    run(service_fn(|request: Request| {
        let answered = answer(request, &handler);
        async move { Ok::<_, Infallible>(answered.await) }
    }))
    .await
}

/// Handles a request within its span, which has the ids of the path.
fn answer<H, F>(request: Request, handler: &H) -> impl Future<Output = Response<String>> + use<H, F>
where
    H: Fn(Request) -> F,
    F: Future<Output = Result<HttpReply, Problem>>,
{
    let context = request.lambda_context();
    let span = logs::request(&context);
    logs::record(&span, session_id(&request).ok(), run_id(&request).ok());
    let query = query::check_once(&request);
    // Boxed: the compiler's limit on nested types is below a handler's futures in the runtime's.
    let handled = Box::pin(handler(request));
    let handled = async move {
        query?;
        handled.await
    };
    async move { respond(&context.request_id, handled).await }.instrument(span)
}

/// Waits for a handler, at most [`HANDLER_TIME`], and makes a response of its result.
async fn respond(
    request_id: &str,
    handled: impl Future<Output = Result<HttpReply, Problem>>,
) -> Response<String> {
    let result = tokio::time::timeout(HANDLER_TIME, handled)
        .await
        .unwrap_or_else(|elapsed| Err(Problem::unavailable(elapsed)));
    let reply = result.unwrap_or_else(|problem| {
        problem.log();
        let mut headers = vec![(CONTENT_TYPE, JSON.to_owned())];
        let seconds = problem.retry_after_seconds();
        headers.extend(seconds.map(|seconds| (RETRY_AFTER, seconds.to_string())));
        HttpReply {
            status: problem.status(),
            headers,
            // A body of texts and ids always serialises.
            body: serde_json::to_string(&problem.body(request_id)).unwrap_or_default(),
        }
    });
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response
        .header("x-request-id", request_id)
        .body(reply.body)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Code;
    use crate::logs::captured::Lines;

    #[tokio::test]
    async fn a_reply_and_a_problem_both_carry_the_request_id() {
        let reply = respond("r-1", async { HttpReply::ok(&json!({"a": 1})) }).await;
        assert_eq!(
            (reply.status().as_u16(), reply.body().as_str()),
            (200, r#"{"a":1}"#)
        );
        assert_eq!(reply.headers()["x-request-id"], "r-1");

        let refused = Problem::new(Code::EmptyTask, "The task is empty.");
        let reply = respond("r-2", async { Err(refused) }).await;
        assert_eq!(reply.status().as_u16(), 422);
        assert_eq!(reply.headers()["x-request-id"], "r-2");
        assert_eq!(
            reply.body(),
            r#"{"detail":"The task is empty.","code":"empty_task","request_id":"r-2"}"#
        );
    }

    #[tokio::test]
    async fn a_limit_says_when_to_ask_again() {
        let reached = session_manager::LimitReached::LiveRuns(20);
        let reply = respond("r-7", async { Err(reached.into()) }).await;
        assert_eq!(reply.status().as_u16(), 429);
        assert_eq!(reply.headers()["retry-after"], "10");
        assert!(reply.body().contains(r#""code":"too_many_runs""#));
    }

    #[tokio::test]
    async fn a_file_and_a_redirect_have_headers_of_their_own() {
        let file = HttpReply::markdown_file("answer.md", "# Tides".into());
        let reply = respond("r-5", async { Ok(file) }).await;
        assert_eq!(reply.headers()["content-type"], MARKDOWN);
        assert_eq!(
            reply.headers()["content-disposition"],
            "attachment; filename=\"answer.md\""
        );
        assert_eq!(reply.body(), "# Tides");

        let there = HttpReply::redirect("https://bucket.example/a?b".into());
        let reply = respond("r-6", async { Ok(there) }).await;
        assert_eq!(reply.status().as_u16(), 302);
        assert_eq!(reply.headers()["location"], "https://bucket.example/a?b");
        assert_eq!(reply.headers()["cache-control"], "no-store");
        assert_eq!(reply.headers()["x-request-id"], "r-6");
        assert_eq!(reply.body(), "");
    }

    #[tokio::test]
    async fn a_line_names_request_session_and_run_and_nothing_that_the_client_says() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let path = format!("/api/sessions/{id}/runs/{id}/cancel");
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "token=secret",
            "headers": {"authorization": "secret"}, "body": "secret", "isBase64Encoded": false,
            "pathParameters": {"session_id": id, "run_id": id, "approval_id": "secret"},
            "requestContext": {"http": {"method": "POST", "path": path}, "timeEpoch": 0},
        });
        let mut context = lambda_http::Context::default();
        context.request_id = "r-4".into();
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let (lines, _guard) = Lines::capture();
        let handler = async |_| Err(Problem::unavailable("throttled"));
        answer(request.with_lambda_context(context), &handler).await;
        let lines = lines.parsed();
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["fields"]["code"], "unavailable");
        assert_eq!(line["span"]["request_id"], "r-4");
        assert_eq!(line["span"]["session_id"], id);
        assert_eq!(line["span"]["run_id"], id);
        assert!(!line.to_string().contains("secret"), "{line}");
    }

    #[tokio::test]
    async fn a_query_parameter_is_given_once_on_every_route() {
        let handler = async |_| HttpReply::ok(&json!({}));
        for (query, detail) in [
            ("limit=7&after=7", None),
            ("limit=7&limit=8", Some("`limit` must be given once.")),
            (
                "a=1&unknown=&b=1&unknown=",
                Some("`unknown` must be given once."),
            ),
            ("%6cimit=7&limit=7", Some("`limit` must be given once.")),
        ] {
            let request = crate::testing::get(query);
            let context = lambda_http::Context::default();
            let reply = answer(request.with_lambda_context(context), &handler).await;
            let body: serde_json::Value = serde_json::from_str(reply.body()).unwrap();
            assert_eq!(body["detail"].as_str(), detail, "{query}");
            let (status, code) = match detail {
                Some(_) => (422, "invalid_query".into()),
                None => (200, json!(null)),
            };
            assert_eq!((reply.status().as_u16(), &body["code"]), (status, &code));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_that_hangs_is_a_503_and_not_the_gateways_timeout() {
        let reply = respond("r-3", std::future::pending()).await;
        assert_eq!(reply.status().as_u16(), 503);
    }
}
