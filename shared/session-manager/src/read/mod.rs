//! Reading: one module for each view of a session, and the list of sessions.

pub(crate) mod approvals;
pub(crate) mod console_log;
pub(crate) mod costs;
mod cursor;
pub(crate) mod detail;
pub(crate) mod events;
pub(crate) mod find_run;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod run_event;
pub(crate) mod run_events;
pub(crate) mod run_files;
pub(crate) mod run_graph;
pub(crate) mod runs;
