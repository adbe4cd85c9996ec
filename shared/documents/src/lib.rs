//! The documents of a session: contents above 32 KiB and files as artifacts in object storage, and papers at arXiv.
//!
//! Nothing in here knows a run or the table. Whoever calls brings the deadline and, for arXiv, the slot: requests to it
//! are rare by agreement, and how rare is decided where all runs are seen.

mod artifacts;
pub mod arxiv;
mod arxiv_id;
pub mod references;

pub use artifacts::{ArtifactError, Artifacts};
pub use arxiv_id::{ArxivId, InvalidArxivId};
