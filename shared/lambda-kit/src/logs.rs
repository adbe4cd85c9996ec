//! The fields of every log line: its request and, where known, its session and run.
//!
//! They are fields of one span per request, and CloudWatch shows them under `span`. They are ids
//! and names of the project's own: no line has a path, a query, or text of clients, people or
//! models.

use lambda_runtime::Context;
use session::{RunId, SessionId};
use tracing::{Span, field};

/// Logging to standard output: JSON where Lambda asks for it, filtered by `RUST_LOG`.
pub use lambda_runtime::tracing::init_default_subscriber as init_logs;

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
