//! `SessionManager` against DynamoDB Local: every method, every lost race, and the faults that a
//! proxy injects.
//!
//! Each test creates its own table. Not tested here: performance; billed capacity, because DynamoDB
//! Local counts differently and is compared only with itself; index lag and TTL, which DynamoDB
//! Local does not have.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod approvals;
mod changes;
mod connections;
mod costs;
mod due_and_purge;
mod faults;
mod find_run;
mod listing;
mod logs;
mod owner_limits;
mod proxy;
mod races;
mod reading;
mod recent;
mod rename;
mod request_keys;
mod run_reads;
mod slot;
mod table;
mod world;
