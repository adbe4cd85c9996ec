//! arXiv's client against a local server that speaks its wire format: feeds as the API's user's manual and its replies
//! of 2025 have them, and everything that a network and a busy site do instead.
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

/// Time enough for a reply, and little enough to wait for one that doesn't come.
fn in_a_moment() -> Instant {
    Instant::now() + Duration::from_millis(300)
}
