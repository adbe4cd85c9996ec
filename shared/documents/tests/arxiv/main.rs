//! arXiv's client against a local server with arXiv's wire format. The feeds follow the API's
//! user's manual and its replies of 2025. The server also simulates network failures and an
//! overloaded site.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod metadata;
mod pdf;
mod server;

use std::time::{Duration, Instant};

use documents::ArxivId;

fn id(text: &str) -> ArxivId {
    text.parse().unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// Long enough for a reply, and short enough to wait for a missing one.
fn in_a_moment() -> Instant {
    Instant::now() + Duration::from_millis(300)
}
