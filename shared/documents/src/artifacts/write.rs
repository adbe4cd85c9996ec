//! Writing a file: whole, by one request, the same place replaces.

use std::time::Duration;

use aws_sdk_s3::config::Config;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::{ArtifactError, ArtifactKey, SessionFiles};

/// Above this the time of a small request is not enough.
const LARGE: usize = 1 << 20;

/// For a large file with all tries of its request; below the time that a worker keeps free behind a call of a model.
const LARGE_TIME: Duration = Duration::from_secs(25);

impl SessionFiles {
    /// Writes a file under the type that its name tells; what stood there is replaced. When this returns, every reader sees it
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
}
