//! The tools for tests on the real stack: a REST client, a WebSocket client that enforces the order
//! of `seq`, a scripted model, an archive of papers, and control of the stack's parts (kill a
//! worker, send a message twice).
//!
//! Not tested here: behaviour of a single crate, which has its own tests; AWS itself; and
//! performance.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is the answer"
)]

pub mod browser;
pub mod calls;
pub mod canary;
pub mod files;
pub mod issuer;
pub mod model;
pub mod papers;
pub mod pdf;
pub mod people;
pub mod rest;
pub mod schema;
mod server;
pub mod stack;
pub mod ws;
