//! What can go wrong with a file.

/// A file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// Nothing stands under the name.
    #[error("there is no such artifact")]
    NotFound,
    /// It is larger than the reader takes; nothing of it was kept.
    #[error("the artifact is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes that would have been taken.
        limit: u64,
    },
    /// It is not the text that was written.
    #[error("the artifact is not UTF-8 text")]
    NotText(#[from] std::string::FromUtf8Error),
    /// The copy on this machine could not be written.
    #[error("the artifact could not be written to a local file")]
    Local(#[source] std::io::Error),
    /// The storage failed; trying again later may help.
    #[error("the object storage did not answer as it should")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ArtifactError {
    pub(super) fn storage(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Storage(error.into())
    }
}
