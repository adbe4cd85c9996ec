//! The deletion of all files of a session. Artifacts, uploads and drafts share one folder.

use std::time::Instant;

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::{ArtifactError, SessionFiles};

impl SessionFiles {
    /// Deletes all files of a session, 1,000 objects per request, until `deadline`. Returns false
    /// when files may be left. A later call continues the deletion.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`], also when a single object could not be deleted.
    pub async fn delete_all(&self, deadline: Instant) -> Result<bool, ArtifactError> {
        let list = self.bucket.list().prefix(&self.folder);
        let mut pages = list.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(ArtifactError::storage)?;
            if page.contents().is_empty() {
                continue;
            }
            self.delete_page(&page).await?;
            // The check follows the deletion of a page, so that each call makes progress even
            // without time.
            if Instant::now() >= deadline {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn delete_page(&self, page: &ListObjectsV2Output) -> Result<(), ArtifactError> {
        let request = self
            .bucket
            .client
            .delete_objects()
            .bucket(&self.bucket.name);
        let deleted = request
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

/// A page holds at most as many objects as one request may delete. The quiet mode returns only the
/// errors.
fn all_of(page: &ListObjectsV2Output) -> Result<Delete, BuildError> {
    let keys = page.contents().iter().filter_map(|object| object.key());
    let objects = keys.map(|key| ObjectIdentifier::builder().key(key).build());
    let objects = objects.collect::<Result<_, _>>()?;
    Delete::builder()
        .set_objects(Some(objects))
        .quiet(true)
        .build()
}
