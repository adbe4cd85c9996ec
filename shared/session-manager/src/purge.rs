//! The purge: the items of a deleted session are removed, in slices.
//!
//! A purge begins when the newest entry says that the session was deleted so long ago that no
//! writer from before is alive. That entry stays for 30 days by its TTL, so that no log can begin
//! again under the same id. Where the TTL has removed it before a purge succeeded, all items go.
//! The summary is removed last and alone, because the sweeper finds the session by it and a batch
//! has no order. It stays until a second purge a day after the delete: an upload that begins in the
//! last minute of its link ends after the first one, and nothing refers to its file.

use std::time::{Duration, Instant};

use session::{DueAction, SessionId, Timestamp};

use crate::dynamo::item::{Item, text};
use crate::dynamo::items::EntryHead;
use crate::dynamo::keys;
use crate::dynamo::update::update_attributes;
use crate::{ReadError, SessionManager};

/// DynamoDB: the number of items of a batch.
const BATCH: usize = 25;

/// When a purge is the last one, after the delete: no upload takes that long.
const LAST_PURGE: Duration = Duration::from_secs(24 * 3600);

/// The progress of a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purged {
    /// Nothing is left but the last entry, which its TTL removes, and on the first day the summary.
    Done,
    /// The deadline passed. The next slice removes the rest.
    More,
    /// The session was not deleted, or not long enough ago. Nothing was removed.
    NotDue,
}

impl SessionManager {
    /// Removes the items of a deleted session until `deadline`.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`]; a later call continues where this one stopped.
    pub async fn purge(
        &self,
        session: SessionId,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Purged, ReadError> {
        let newest = self.newest_entry(session).await?;
        let due =
            |newest: &EntryHead| self.rules.recover(&newest.state, now) == Some(DueAction::Purge);
        if !newest.as_ref().is_none_or(due) {
            return Ok(Purged::NotDue);
        }
        let deleted_at = newest.as_ref().and_then(|newest| newest.state.deleted_at);
        let stays = newest.map(|newest| newest.sk);
        let kept = [stays.as_deref(), Some(keys::SUMMARY)];
        let request = self
            .query()
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", text(keys::session(session)))
            .projection_expression("PK, SK")
            .consistent_read(true);
        let mut pages = Self::pages(request, None);
        while let Some(mut page) = pages.next().await? {
            page.retain(|item| !kept.contains(&sort_key(item)));
            for batch in page.chunks(BATCH) {
                self.delete_locators(batch).await?;
                self.batch_delete(batch.to_vec()).await?;
                // Checked after a batch, so that each call makes progress.
                if Instant::now() >= deadline {
                    return Ok(Purged::More);
                }
            }
        }
        let summary = keys::key(keys::session(session), keys::SUMMARY);
        match deleted_at.map(|at| at.plus(LAST_PURGE)) {
            Some(last) if now < last => {
                let due = vec![(keys::DUE, text(last.to_string()))];
                let update = update_attributes(summary, due, &[])
                    .condition_expression("attribute_exists(#due)");
                self.update_if(update).await?;
            }
            _ => self.batch_delete(vec![summary]).await?,
        }
        Ok(Purged::Done)
    }

    /// Deletes the locators of the runs whose rows are in the batch. They go before the rows: an
    /// interrupted purge finds the rows again, and by them the locators.
    async fn delete_locators(&self, batch: &[Item]) -> Result<(), ReadError> {
        let runs = batch.iter().filter_map(sort_key).filter_map(keys::run_of);
        let locators: Vec<_> = runs.map(keys::run_locator).collect();
        if locators.is_empty() {
            return Ok(());
        }
        Ok(self.batch_delete(locators).await?)
    }
}

fn sort_key(item: &Item) -> Option<&str> {
    item.get(keys::SK)?.as_s().ok().map(String::as_str)
}
