//! The folded record of a run, as a worker needs it.

mod answers;
mod published_status;
mod remarks;
mod run_history;

pub(crate) use published_status::PublishedStatus;
pub use run_history::{DoneStep, RunHistory};
pub(crate) use run_history::{ReceivedAnswer, with_artifact};
