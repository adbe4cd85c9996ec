#![doc = include_str!("../README.md")]

mod answer;
pub mod api;
mod app;
mod authenticator;
mod aws;
pub mod batch;
pub mod choices;
mod client_config;
mod errors;
mod fields;
pub mod http;
pub mod logs;
pub mod metrics;
mod outbox;
mod problem;
mod push;
mod queue;
pub mod recover;
mod settings;
pub mod socket;
pub mod task;
#[cfg(feature = "testing")]
pub mod testing;

pub use answer::AnswerInput;
pub use app::{Action, App};
pub use authenticator::{Authenticator, Caller};
pub use aws::Aws;
pub use client_config::ClientConfig;
pub use fields::Fields;
pub use lambda_http::Request;
pub use lambda_runtime::Error;
pub use logs::init_logs;
pub use outbox::Outbox;
pub use problem::{Code, Problem, ProblemBody, causes};
pub use push::{Delivery, Push};
pub use queue::{Queue, QueueError, QueueMessage, UnknownMessage};
pub use settings::EdgeSettings;
pub use task::Task;

/// The time, by the system's clock: read once per request, then handed on.
pub fn now() -> session::Timestamp {
    session::Timestamp::from_system(std::time::SystemTime::now())
}

/// What is left of an invocation; `otherwise` where the runtime's deadline is past, as under `cargo lambda watch`.
pub fn time_left(
    context: &lambda_runtime::Context,
    otherwise: std::time::Duration,
) -> std::time::Duration {
    let left = context
        .deadline()
        .duration_since(std::time::SystemTime::now());
    left.unwrap_or(otherwise)
}
