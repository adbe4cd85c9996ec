//! The engine, driven through the rules that production drives it through: `session::Rules::decide` appends, the
//! engine says what. `paths` prints each mode's path as text and compares it with `tests/paths/*.txt`, the readable
//! specification; `random` looks for a sequence of outcomes, crashes and commands that loses or doubles something.
//!
//! Not tested here: storage, races between two writers, the agents themselves.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod briefs;
mod check;
mod configs;
mod limits;
mod path;
mod paths;
mod print;
mod random;
mod script;
mod world;
