//! The end of a deleted session: its items are removed, in slices.
//!
//! Only when the newest entry says that it was deleted, and long enough ago that nobody is left who could write into the gap. That
//! entry stays (30 days, by its TTL), so that no log can begin anew under the same id. Where it has left already, and no purge
//! came through in all that time, everything goes. The summary, by which the sweeper
//! finds what is left to do, goes last and alone: a batch has no order.

use std::time::Instant;

use session::{DueAction, SessionId, Timestamp};

use crate::items::{Item, LogEntry, text};
use crate::{ReadError, SessionManager, keys};

/// How many items a batch may delete.
const BATCH: usize = 25;

/// How far a purge came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purged {
    /// Nothing is left but the last entry, as long as its TTL lets it stand.
    Done,
    /// Time was up; the rest is for the next slice.
    More,
    /// The session was not deleted, or not long enough ago: nothing was touched.
    NotDue,
}

impl SessionManager {
    /// Removes the items of a deleted session, until `deadline` at the latest.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`]; a later call goes on where this one stopped.
    pub async fn purge(
        &self,
        session: SessionId,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Purged, ReadError> {
        let newest = self.newest_entry(session).await?;
        let due =
            |newest: &LogEntry| self.rules.recover(&newest.state, now) == Some(DueAction::Purge);
        if !newest.as_ref().is_none_or(due) {
            return Ok(Purged::NotDue);
        }
        let stays = newest.map(|newest| keys::entry(newest.first()));
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
                self.batch_delete(batch.to_vec()).await?;
                // Behind a batch and not before it: each call gets on, however little time it has.
                if Instant::now() >= deadline {
                    return Ok(Purged::More);
                }
            }
        }
        let summary = keys::key(keys::session(session), keys::SUMMARY);
        self.batch_delete(vec![summary]).await?;
        Ok(Purged::Done)
    }
}

fn sort_key(item: &Item) -> Option<&str> {
    item.get(keys::SK)?.as_s().ok().map(String::as_str)
}
