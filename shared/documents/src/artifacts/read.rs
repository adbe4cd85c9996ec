//! Reads a file up to the size that the caller allows.
//!
//! The announced length is checked before the content. The received bytes are counted as well,
//! because the size of an upload was declared by a client.

use std::path::Path;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use bytes::{Bytes, BytesMut};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::{ArtifactError, ArtifactKey, SessionFiles};

impl SessionFiles {
    /// Reads a file of at most `limit` bytes by one request.
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
        String::from_utf8(content.into()).map_err(|_| ArtifactError::NotText)
    }

    /// Reads a file of at most `limit` bytes; none if it does not exist.
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

    /// Streams a file of at most `limit` bytes to a local file and returns its length. An existing
    /// local file is replaced. After an error it may be incomplete.
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

    /// The content type of a file. That of a run's file follows from its name, without a request.
    /// That of an upload is what the client declared; none if the upload does not exist.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`].
    pub async fn content_type(&self, place: &ArtifactKey) -> Result<Option<String>, ArtifactError> {
        if place.run().is_some() {
            return Ok(Some(place.content_type().to_owned()));
        }
        let object = self.head(place).await?;
        Ok(object.map(|object| object.content_type.unwrap_or_else(unknown_type)))
    }

    /// Whether the file exists, by one request.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`].
    pub async fn exists(&self, place: &ArtifactKey) -> Result<bool, ArtifactError> {
        Ok(self.head(place).await?.is_some())
    }

    pub(super) async fn head(
        &self,
        place: &ArtifactKey,
    ) -> Result<Option<HeadObjectOutput>, ArtifactError> {
        let request = self.bucket.client.head_object().bucket(&self.bucket.name);
        match request.key(self.key(place)).send().await {
            Ok(object) => Ok(Some(object)),
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

    /// A file whose announced length is within the limit, before its content is read.
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

/// The content type of an object without one, as in S3.
pub(super) fn unknown_type() -> String {
    "application/octet-stream".to_owned()
}

async fn next(object: &mut GetObjectOutput) -> Result<Option<Bytes>, ArtifactError> {
    object.body.try_next().await.map_err(ArtifactError::storage)
}

fn over(length: u64, chunk: &Bytes, limit: u64) -> bool {
    length + chunk.len() as u64 > limit
}
