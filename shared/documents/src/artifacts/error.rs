//! Errors of reading and writing files.

/// A file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// No file exists under this name.
    #[error("there is no such artifact")]
    NotFound,
    /// The file is larger than the caller allows. No part of it was kept.
    #[error("the artifact is larger than {limit} bytes")]
    TooLarge {
        /// The maximum size, in bytes.
        limit: u64,
    },
    /// The content is not UTF-8 text, or its media type is none of text.
    #[error("the artifact is not UTF-8 text")]
    NotText,
    /// The local copy could not be written.
    #[error("the artifact could not be written to a local file")]
    Local(#[source] std::io::Error),
    /// The storage failed. A later attempt may succeed.
    #[error("the object storage did not answer as it should")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ArtifactError {
    pub(super) fn storage(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Storage(error.into())
    }
}
