//! The engine with the production rules: it decides the progress, and `session::Rules::decide`
//! appends it. `paths` prints each mode's path as text and compares it with `tests/paths/*.txt`,
//! the readable specification. `random` searches for a sequence of outcomes, crashes and commands
//! that loses or doubles work.
//!
//! Not tested here: storage, races between two writers, and the agents.

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
