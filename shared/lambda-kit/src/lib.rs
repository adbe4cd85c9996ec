#![doc = include_str!("../README.md")]

mod answer;
pub mod api;
mod app;
mod authenticator;
mod aws;
pub mod choices;
mod client_config;
mod errors;
pub mod http;
pub mod json;
pub mod logs;
pub mod metrics;
mod outbox;
mod problem;
pub mod recover;
mod settings;
pub mod sqs;
pub mod task;
#[cfg(feature = "testing")]
pub mod testing;
pub mod websocket;

pub use answer::{AnswerBody, AnswerInput, Resolved};
pub use app::{Action, App};
pub use authenticator::{Authenticator, Caller};
pub use aws::Aws;
pub use client_config::ClientConfig;
pub use json::JsonObject;
pub use lambda_http::Request;
pub use lambda_runtime::Error;
pub use logs::{init_logs, run_logged};
pub use outbox::Outbox;
pub use problem::{Code, Problem, ProblemBody, causes};
pub use settings::EdgeSettings;
pub use sqs::{QueueError, QueueMessage, QueueUrls, Queues, UnknownMessage};
pub use task::Task;
pub use websocket::{Delivery, Push};

/// The time by the system's clock. A handler reads it once per request.
pub fn now() -> session::Timestamp {
    session::Timestamp::from_system(std::time::SystemTime::now())
}

/// The time that an invocation has left. `cargo lambda watch` gives a deadline in the past: then
/// the result is `otherwise`.
pub fn time_left(
    context: &lambda_runtime::Context,
    otherwise: std::time::Duration,
) -> std::time::Duration {
    let left = context
        .deadline()
        .duration_since(std::time::SystemTime::now());
    left.unwrap_or(otherwise)
}
