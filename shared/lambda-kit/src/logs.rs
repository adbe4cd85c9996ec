//! The lines of the log, and the fields of each: its request and, where known, its session and run.
//!
//! A line in JSON has an RFC 3339 `timestamp` and a `level`; Lambda takes a line that lacks one for
//! INFO ("Log-level filtering" in its developer guide). The ids are fields of one span per request,
//! and CloudWatch shows them under `span`. They are ids and names of the project's own: no line has
//! a path, a query, or text of clients, people or models.

use std::env;
use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;

use lambda_runtime::{Context, Error};
use session::{RunId, SessionId};
use tracing::{Span, field};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::causes;

const FILTER: &str = "RUST_LOG";
const DEFAULT_FILTER: &str = "info";
/// Lambda sets it: `JSON` or `Text`.
const FORMAT: &str = "AWS_LAMBDA_LOG_FORMAT";

/// Logging to standard output: JSON where Lambda asks for it, filtered by `RUST_LOG` alone. Panics
/// are logged too.
pub fn init_logs() {
    let (filter, refused) = filter(env::var(FILTER).ok().as_deref());
    let lines = tracing_subscriber::fmt().with_env_filter(filter);
    match env::var(FORMAT) {
        Ok(format) if format.eq_ignore_ascii_case("json") => lines.json().init(),
        _ => lines.with_target(false).without_time().init(),
    }
    panic::set_hook(Box::new(log_panic));
    if let Some(error) = refused {
        tracing::error!(%error, "{FILTER} is no filter of the tracing crate: {DEFAULT_FILTER} holds");
    }
}

/// Runs a function's process with its logs until it ends. Its error is a line of the log: what a
/// `main` returns is printed as plain text, which Lambda takes for INFO.
pub async fn run_logged(function: impl Future<Output = Result<(), Error>>) -> ExitCode {
    init_logs();
    match function.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, causes = causes(&*error), "the function ended");
            ExitCode::FAILURE
        }
    }
}

/// The filter of this text, or the default with the reason.
fn filter(given: Option<&str>) -> (EnvFilter, Option<ParseError>) {
    let given = given.filter(|given| !given.is_empty());
    match EnvFilter::try_new(given.unwrap_or(DEFAULT_FILTER)) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT_FILTER), Some(error)),
    }
}

/// Replaces the report on standard error, which Lambda takes for INFO. A panic's message may quote
/// a client's text.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(field::display);
    tracing::error!(place, "panicked");
    tracing::debug!(text = panic.payload_as_str(), "what the panic says");
}

/// The span of a request, a frame or a message.
pub(crate) fn request(context: &Context) -> Span {
    tracing::info_span!(
        "request",
        request_id = context.request_id,
        function = context.env_config.function_name,
        connection_id = field::Empty,
        session_id = field::Empty,
        run_id = field::Empty,
    )
}

/// Adds the session to the current request's span.
pub fn is_about(session: SessionId) {
    record(&Span::current(), Some(session), None);
}

/// Adds ids to a request's span, each at most once.
pub(crate) fn record(span: &Span, session: Option<SessionId>, run: Option<RunId>) {
    if let Some(session) = session {
        span.record("session_id", field::display(session));
    }
    if let Some(run) = run {
        span.record("run_id", field::display(run));
    }
}

/// The span of one of several sessions in a request.
pub fn session(session: SessionId) -> Span {
    tracing::info_span!("session", session_id = %session)
}

#[cfg(test)]
pub(crate) mod captured {
    //! What is logged while a test holds it, as CloudWatch would get it.

    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing::subscriber::DefaultGuard;
    use tracing_subscriber::fmt::MakeWriter;

    /// The lines of this thread.
    #[derive(Clone, Default)]
    pub struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        /// Captures from now on, until the guard goes.
        pub fn capture() -> (Self, DefaultGuard) {
            let lines = Self::default();
            let subscriber = tracing_subscriber::fmt()
                .json()
                .with_target(false)
                .without_time()
                .with_writer(lines.clone())
                .finish();
            (lines, tracing::subscriber::set_default(subscriber))
        }

        /// Each line, parsed.
        pub fn parsed(&self) -> Vec<Value> {
            let bytes = self.0.lock().unwrap().clone();
            let text = String::from_utf8(bytes).unwrap();
            let lines = text.lines();
            lines
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        }
    }

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }
}
