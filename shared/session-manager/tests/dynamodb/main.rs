//! `SessionManager` against DynamoDB Local: every method, every lost race, and every fault that a proxy can bring.
//!
//! Each test makes its own table. Deliberately not tested here: speed, how much capacity AWS would count (DynamoDB Local counts
//! otherwise, so that it is only compared with itself), the lag of an index and the work of TTL (DynamoDB Local has neither).
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod approvals;
mod changes;
mod connections;
mod costs;
mod due_and_purge;
mod faults;
mod listing;
mod logs;
mod proxy;
mod races;
mod reading;
mod recent;
mod request_keys;
mod slot;
mod table;
mod world;
