//! Writing: how a session is created and changed.

pub(crate) mod append;
pub(crate) mod change;
pub(crate) mod outcome;
pub(crate) mod size;
pub(crate) mod transaction;
