//! `SessionManager` against DynamoDB Local: every method, every lost race, and every fault that a proxy can bring.
//!
//! Each test makes its own table. Deliberately not tested here: speed, DynamoDB's capacity (DynamoDB Local counts it otherwise
//! than AWS), the lag of an index and the work of TTL (DynamoDB Local has neither).
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod changes;
mod connections;
mod due_and_purge;
mod faults;
mod listing;
mod logs;
mod proxy;
mod races;
mod reading;
mod request_keys;
mod table;
mod world;
