//! Artifacts in the bucket, one object each under `<owner>/<session>/<run>/<name>`.
//!
//! The key begins with the owner, so that nobody's artifact can stand in another's place, and a session's artifacts
//! have one prefix, by which a purge finds them. An event points to an artifact by name alone.

use std::time::Instant;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use session::{OwnerId, RunId, SessionId};

/// The bucket, as far as artifacts go.
#[derive(Debug, Clone)]
pub struct Artifacts {
    client: Client,
    bucket: String,
}

/// An artifact could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// Nothing stands under the name.
    #[error("there is no such artifact")]
    NotFound,
    /// It is not the text that was written.
    #[error("the artifact is not UTF-8 text")]
    NotText(#[from] std::string::FromUtf8Error),
    /// The storage failed; trying again later may help.
    #[error("the object storage did not answer as it should")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ArtifactError {
    fn storage(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Storage(error.into())
    }
}

impl Artifacts {
    /// Artifacts in `bucket`.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }

    /// Writes a text; the same name replaces.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`].
    pub async fn put(
        &self,
        owner: &OwnerId,
        session: SessionId,
        run: RunId,
        name: &str,
        text: &str,
    ) -> Result<(), ArtifactError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key(owner, session, run, name))
            .content_type("text/plain; charset=utf-8")
            .body(ByteStream::from(text.as_bytes().to_vec()))
            .send()
            .await
            .map_err(ArtifactError::storage)?;
        Ok(())
    }

    /// Reads a text whole.
    ///
    /// # Errors
    /// [`ArtifactError`].
    pub async fn get(
        &self,
        owner: &OwnerId,
        session: SessionId,
        run: RunId,
        name: &str,
    ) -> Result<String, ArtifactError> {
        let object = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key(owner, session, run, name))
            .send()
            .await
            .map_err(|error| {
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_no_such_key())
                {
                    ArtifactError::NotFound
                } else {
                    ArtifactError::storage(error)
                }
            })?;
        let bytes = object
            .body
            .collect()
            .await
            .map_err(ArtifactError::storage)?;
        Ok(String::from_utf8(bytes.to_vec())?)
    }

    /// Removes everything that a session has, 1,000 objects a request, until `deadline` at the latest. False when something may
    /// be left: a later call goes on where this one stopped.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`], also where a single object could not be removed.
    pub async fn delete_all(
        &self,
        owner: &OwnerId,
        session: SessionId,
        deadline: Instant,
    ) -> Result<bool, ArtifactError> {
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(format!("{owner}/{session}/"))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(ArtifactError::storage)?;
            if page.contents().is_empty() {
                continue;
            }
            self.delete_page(&page).await?;
            // Behind a page and not before it: each call gets on, however little time it has.
            if Instant::now() >= deadline {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn delete_page(&self, page: &ListObjectsV2Output) -> Result<(), ArtifactError> {
        let deleted = self
            .client
            .delete_objects()
            .bucket(&self.bucket)
            .delete(all_of(page).map_err(ArtifactError::storage)?)
            .send()
            .await
            .map_err(ArtifactError::storage)?;
        match deleted.errors() {
            [] => Ok(()),
            [error, ..] => {
                let code = error.code().unwrap_or("unknown");
                let message = format!("{} objects stay: {code}", deleted.errors().len());
                Err(ArtifactError::storage(message))
            }
        }
    }
}

/// A page of a list holds as many objects as one request may delete. Only errors are answered.
fn all_of(page: &ListObjectsV2Output) -> Result<Delete, BuildError> {
    let keys = page.contents().iter().filter_map(|object| object.key());
    let objects = keys.map(|key| ObjectIdentifier::builder().key(key).build());
    let objects = objects.collect::<Result<_, _>>()?;
    Delete::builder()
        .set_objects(Some(objects))
        .quiet(true)
        .build()
}

fn key(owner: &OwnerId, session: SessionId, run: RunId, name: &str) -> String {
    format!("{owner}/{session}/{run}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_begins_with_the_owner_and_then_the_session() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let owner = OwnerId::of("https://issuer", "ada");
        assert_eq!(
            key(&owner, id.parse().unwrap(), id.parse().unwrap(), "task.txt"),
            format!("{owner}/{id}/{id}/task.txt")
        );
    }
}
