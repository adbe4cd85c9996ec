//! Reading a file, never more of it than the caller takes.
//!
//! The announced length is looked at before the content, and the content is counted all the same: an upload's size was
//! promised by a stranger.

use std::path::Path;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use bytes::{Bytes, BytesMut};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::{ArtifactError, ArtifactKey, SessionFiles};

impl SessionFiles {
    /// Reads a file of at most `limit` bytes whole, by one request.
    ///
    /// # Errors
    /// [`ArtifactError::NotFound`], [`ArtifactError::TooLarge`], [`ArtifactError::Storage`].
    pub async fn get(&self, place: &ArtifactKey, limit: u64) -> Result<Bytes, ArtifactError> {
        let mut content = BytesMut::new();
        let mut object = self.open(place, limit).await?;
        while let Some(chunk) = next(&mut object).await? {
            if over(content.len() as u64, &chunk, limit) {
                return Err(ArtifactError::TooLarge { limit });
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content.freeze())
    }

    /// Reads a text of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Self::get`], and [`ArtifactError::NotText`].
    pub async fn get_text(&self, place: &ArtifactKey, limit: u64) -> Result<String, ArtifactError> {
        let content = self.get(place, limit).await?;
        Ok(String::from_utf8(content.into())?)
    }

    /// Reads a file of at most `limit` bytes, or that there is none.
    ///
    /// # Errors
    /// [`ArtifactError::TooLarge`], [`ArtifactError::Storage`].
    pub async fn find(
        &self,
        place: &ArtifactKey,
        limit: u64,
    ) -> Result<Option<Bytes>, ArtifactError> {
        match self.get(place, limit).await {
            Ok(content) => Ok(Some(content)),
            Err(ArtifactError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Copies a file of at most `limit` bytes to a local one, a piece at a time, and gives its length. What stood there is
    /// replaced; after an error something incomplete may stand there.
    ///
    /// # Errors
    /// As [`Self::get`], and [`ArtifactError::Local`].
    pub async fn download(
        &self,
        place: &ArtifactKey,
        limit: u64,
        path: &Path,
    ) -> Result<u64, ArtifactError> {
        let mut object = self.open(place, limit).await?;
        let mut file = File::create(path).await.map_err(ArtifactError::Local)?;
        let mut length = 0;
        while let Some(chunk) = next(&mut object).await? {
            if over(length, &chunk, limit) {
                return Err(ArtifactError::TooLarge { limit });
            }
            let written = file.write_all(&chunk).await;
            written.map_err(ArtifactError::Local)?;
            length += chunk.len() as u64;
        }
        file.flush().await.map_err(ArtifactError::Local)?;
        Ok(length)
    }

    /// The type of a file: of what a run wrote by its name, without a request; of an upload what its client said. None where there
    /// is no such upload.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`].
    pub async fn content_type(&self, place: &ArtifactKey) -> Result<Option<String>, ArtifactError> {
        if place.run().is_some() {
            return Ok(Some(place.content_type().to_owned()));
        }
        let request = self.bucket.client.head_object().bucket(&self.bucket.name);
        match request.key(self.key(place)).send().await {
            Ok(object) => Ok(Some(object.content_type.unwrap_or_else(unknown_type))),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_not_found()) =>
            {
                Ok(None)
            }
            Err(error) => Err(ArtifactError::storage(error)),
        }
    }

    /// A file whose announced length fits, its content still to come.
    async fn open(
        &self,
        place: &ArtifactKey,
        limit: u64,
    ) -> Result<GetObjectOutput, ArtifactError> {
        let request = self.bucket.client.get_object().bucket(&self.bucket.name);
        let object = request.key(self.key(place)).send().await;
        let object = object.map_err(|error| match error.as_service_error() {
            Some(error) if error.is_no_such_key() => ArtifactError::NotFound,
            _ => ArtifactError::storage(error),
        })?;
        let announced = object.content_length().unwrap_or_default();
        if u64::try_from(announced).is_ok_and(|length| length <= limit) {
            Ok(object)
        } else {
            Err(ArtifactError::TooLarge { limit })
        }
    }
}

/// The type of what has none, as S3 itself has it.
fn unknown_type() -> String {
    "application/octet-stream".to_owned()
}

async fn next(object: &mut GetObjectOutput) -> Result<Option<Bytes>, ArtifactError> {
    object.body.try_next().await.map_err(ArtifactError::storage)
}

fn over(length: u64, chunk: &Bytes, limit: u64) -> bool {
    length + chunk.len() as u64 > limit
}
