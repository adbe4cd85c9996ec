//! Through the real stack: `cargo lambda watch`, MiniStack and DynamoDB Local, as `make test` starts them.
//!
//! Each test makes its own sessions and finds its own again by their ids, so that all run at once on one stack. What only
//! the text of the repository decides (that routes, functions, events and tables are one list) runs without it.
//!
//! Two modules run by themselves (`infra/local/check.py`): `own_stack` against stacks that are set up for it, and
//! `afterwards` when all others have run.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod afterwards;
mod bad_input;
mod canaries;
mod costs;
mod crash;
mod documents;
mod drift;
mod events;
mod files;
mod frames;
mod in_process;
mod measured;
mod memory;
mod modes;
mod own_stack;
mod people;
mod rest;
mod runs;
mod template;
mod trouble;
mod waiting;
