//! The providers through the crate's public face: each against a local server that speaks its wire format, the offline one
//! as it is. One table of cases for all; what is a provider's own stands in `wires`.
//!
//! Not tested here: TLS, and what a real model says.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod asking;
mod keys;
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
