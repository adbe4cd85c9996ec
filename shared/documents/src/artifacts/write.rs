//! Writes a file by one request, and takes it back. An existing file is replaced.

use std::time::Duration;

use aws_sdk_s3::config::Config;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::{ArtifactError, ArtifactKey, SessionFiles};

/// Above this size, the timeout of a small request is too short.
const LARGE: usize = 1 << 20;

/// The timeout of a large file with all retries. It is below the time that a worker reserves after
/// a model call.
const LARGE_TIME: Duration = Duration::from_secs(25);

impl SessionFiles {
    /// Writes a file with the content type of its name. An existing file is replaced. Once this
    /// returns, every reader sees the new content
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel>).
    ///
    /// # Errors
    /// [`ArtifactError::Storage`].
    pub async fn put(
        &self,
        place: &ArtifactKey,
        content: impl Into<Bytes>,
    ) -> Result<(), ArtifactError> {
        let content: Bytes = content.into();
        let mut own = Config::builder();
        if content.len() > LARGE {
            let timeouts = TimeoutConfig::builder().operation_timeout(LARGE_TIME);
            own = own.timeout_config(timeouts.build());
        }
        let request = self
            .bucket
            .client
            .put_object()
            .bucket(&self.bucket.name)
            .key(self.key(place))
            .content_type(place.content_type())
            .body(ByteStream::from(content));
        let request = request.customize().config_override(own);
        request.send().await.map_err(ArtifactError::storage)?;
        Ok(())
    }

    /// Deletes a file that nothing refers to. A file that does not exist is no error.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`].
    pub async fn delete(&self, place: &ArtifactKey) -> Result<(), ArtifactError> {
        let request = self.bucket.client.delete_object();
        let request = request.bucket(&self.bucket.name).key(self.key(place));
        request.send().await.map_err(ArtifactError::storage)?;
        Ok(())
    }
}
