//! What a session keeps outside the table: contents above 32 KiB, as artifacts in object storage.

mod artifacts;

pub use artifacts::{ArtifactError, Artifacts};
