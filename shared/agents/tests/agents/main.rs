//! The providers through the crate's public API: each against a local server with its wire format,
//! and the offline engine directly. The cases are shared; `wires` contains the differences between
//! providers.
//!
//! Not tested here: TLS, and the answers of real models.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod asking;
mod cases;
mod keys;
mod lenience;
mod limits;
mod misfits;
mod offline;
mod offline_ideas;
mod offline_papers;
mod offline_plans;
mod offline_routes;
mod pages;
mod papers;
mod retries;
mod routing;
mod secrecy;
mod server;
mod wire;
mod wires;
