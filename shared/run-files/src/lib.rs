//! The files of a run for clients: the bucket knows which exist, the record where they come from.
//!
//! A run that has completed also has its answer as the file `answer.md`, which is drawn from the
//! record at each read. An artifact of that name takes its place.

mod find;
mod list;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use documents::ArtifactName;

pub use find::{FoundFile, find, find_answer, path_parameter};
pub use list::{RunFile, RunFileList, list};

/// The name of a run's answer among its files.
pub const ANSWER: &str = "answer.md";

fn is_answer(name: &ArtifactName) -> bool {
    name.as_str() == ANSWER
}
