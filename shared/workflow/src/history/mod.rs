//! What a worker needs to know of a run: its record, folded.

mod answers;
mod published_status;
mod remarks;
mod run_history;

pub(crate) use published_status::PublishedStatus;
pub use run_history::{DoneStep, RunHistory};
pub(crate) use run_history::{ReceivedAnswer, with_artifact};
