//! The files of a session, from the bucket's listing in key order.
//!
//! Runs come first, oldest first, because their ids begin with their time. Uploads come last. The
//! listing skips the drafts between them with one `start-after` request, so a page takes one
//! request, or two with drafts.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::Object;
use session::{RunId, Timestamp};

use super::key::{BEHIND_DRAFTS, DRAFTS};
use super::{ArtifactError, ArtifactKey, ArtifactName, SessionFiles};

/// The maximum number of keys on one page
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
const MAX_KEYS: usize = 1_000;

/// A file as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// An artifact of a run, or an upload.
    pub place: ArtifactKey,
    /// In bytes.
    pub size: u64,
    /// The time of the last write, to the second.
    pub written_at: Timestamp,
}

/// A page of a session's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Artifacts and uploads, without drafts.
    pub files: Vec<Listed>,
    /// The key after which the next page begins; none on the last page.
    pub next_after: Option<ArtifactKey>,
}

impl SessionFiles {
    /// At most `limit` artifacts and uploads after `after`.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`].
    pub async fn list(
        &self,
        after: Option<&ArtifactKey>,
        limit: usize,
    ) -> Result<Listing, ArtifactError> {
        let mut files = Vec::new();
        let mut from = after.map(|place| self.key(place));
        loop {
            // One more than requested shows whether another page exists.
            let wanted = limit + 1 - files.len();
            let page = self.page(from, wanted).await?;
            files.extend(
                page.contents()
                    .iter()
                    .filter_map(|object| self.shown(object)),
            );
            from = self.behind(&page);
            let ended = page.is_truncated() != Some(true) || from.is_none();
            if ended || files.len() > limit {
                break;
            }
        }
        let more = files.len() > limit;
        files.truncate(limit);
        let last = files.last().map(|file| file.place.clone());
        Ok(Listing {
            next_after: last.filter(|_| more),
            files,
        })
    }

    /// The first files of a run by name, at most `limit` (1 to 1,000), by one request, and whether
    /// there are more.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`].
    pub async fn of_run(
        &self,
        run: RunId,
        limit: usize,
    ) -> Result<(Vec<Listed>, bool), ArtifactError> {
        let keys = i32::try_from(limit.min(MAX_KEYS)).unwrap_or_default();
        let list = self.bucket.list().prefix(format!("{}{run}/", self.folder));
        let page = list.max_keys(keys).send().await;
        let page = page.map_err(ArtifactError::storage)?;
        let files = page.contents().iter();
        let files = files.filter_map(|object| self.shown(object)).collect();
        Ok((files, page.is_truncated() == Some(true)))
    }

    /// The names of a run's drafts, in key order.
    ///
    /// # Errors
    /// [`ArtifactError::Storage`].
    pub async fn drafts(&self, run: RunId) -> Result<Vec<ArtifactName>, ArtifactError> {
        let folder = format!("{}{DRAFTS}{run}/", self.folder);
        let mut pages = self.bucket.list().prefix(folder).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(ArtifactError::storage)?;
            let keys = page.contents().iter().filter_map(Object::key);
            let places = keys.filter_map(|key| self.place(key));
            names.extend(places.map(|place| place.name().clone()));
        }
        Ok(names)
    }

    async fn page(
        &self,
        from: Option<String>,
        wanted: usize,
    ) -> Result<ListObjectsV2Output, ArtifactError> {
        let keys = i32::try_from(wanted.min(MAX_KEYS)).unwrap_or_default();
        let list = self.bucket.list().prefix(&self.folder).max_keys(keys);
        let page = list.set_start_after(from).send().await;
        page.map_err(ArtifactError::storage)
    }

    /// The key after which the listing continues: the last key of the page or, if that is a draft,
    /// the end of all drafts.
    fn behind(&self, page: &ListObjectsV2Output) -> Option<String> {
        let last = page.contents().last()?.key()?;
        let in_drafts = last.strip_prefix(&self.folder)?.starts_with(DRAFTS);
        Some(match in_drafts {
            true => format!("{}{BEHIND_DRAFTS}", self.folder),
            false => last.to_owned(),
        })
    }

    /// An object as a listing shows it; none for a draft or for an object with a foreign key.
    fn shown(&self, object: &Object) -> Option<Listed> {
        let place = self.place(object.key()?)?;
        let shown = !matches!(place, ArtifactKey::Draft(..));
        let written = object.last_modified()?.as_nanos() / 1_000;
        shown.then_some(Listed {
            place,
            size: object.size()?.try_into().ok()?,
            written_at: Timestamp::from_micros(written.try_into().ok()?)?,
        })
    }
}
