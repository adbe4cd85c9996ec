//! What the tests through the real stack are written with: a REST client, a WebSocket client that keeps the rule of
//! `seq`, a model that does what a task tells it, an archive of papers, and hands on the stack's parts (kill a worker, send a message twice).
//!
//! Deliberately not tested here: what one crate can show alone (it has its own tests), AWS itself, and speed.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is the answer"
)]

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
