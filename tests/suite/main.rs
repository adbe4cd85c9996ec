//! Tests on the real stack: `cargo lambda watch`, MiniStack and DynamoDB Local, as `make test`
//! starts them.
//!
//! Each test creates its own sessions and finds them by their ids, so that all tests run
//! concurrently on one stack. Checks of the repository's text (that routes, functions, events and
//! tables agree) run without the stack.
//!
//! Two modules run separately (`infra/local/check.py`): `own_stack` on stacks of its own, and
//! `afterwards` after all others.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod afterwards;
mod bad_input;
mod browsers;
mod canaries;
mod costs;
mod crash;
mod documents;
mod drift;
mod event_shapes;
mod events;
mod files;
mod frames;
mod in_process;
mod measured;
mod memory;
mod modes;
mod order;
mod own_stack;
mod people;
mod prices;
mod rest;
mod run_files;
mod run_reads;
mod runs;
mod spending;
mod summaries;
mod template;
mod trouble;
mod unreadable;
mod waiting;
mod workers;
