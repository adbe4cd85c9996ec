//! The sparse index of sessions with a due action.

use session::{SessionId, State, Timestamp};

use crate::dynamo::item::{Item, text};
use crate::dynamo::keys;
use crate::dynamo::update::update_attributes;
use crate::{ReadError, SessionManager};

/// An overdue session of the index. The index may lag, so a caller reads the newest entry before it
/// acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// The session.
    pub session: SessionId,
    /// Its due time in the index.
    pub since: Timestamp,
}

impl Overdue {
    fn of(item: &Item) -> Option<Self> {
        let attribute = |name| item.get(name)?.as_s().ok();
        Some(Self {
            session: keys::session_of(attribute(keys::PK)?)?,
            since: attribute(keys::DUE)?.parse().ok()?,
        })
    }

    fn key(&self) -> Item {
        keys::key(keys::session(self.session), keys::SUMMARY)
    }

    /// The exclusive start key of a query in the index. The item's due time may have changed since.
    fn index_key(&self) -> Item {
        let mut key = self.key();
        let shard = text(keys::due_shard_of(self.session));
        key.insert(keys::DUE_SHARD.into(), shard);
        key.insert(keys::DUE.into(), text(self.since.to_string()));
        key
    }
}

impl SessionManager {
    /// The overdue sessions of a shard (0 to [`SHARDS`](crate::SHARDS) - 1), the longest overdue
    /// first, after `after`. At most `limit`; empty at the end.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: usize,
        after: Option<&Overdue>,
    ) -> Result<Vec<Overdue>, ReadError> {
        let request = self
            .query()
            .index_name(keys::BY_DUE)
            .key_condition_expression("due_shard = :shard AND due <= :now")
            .expression_attribute_values(":shard", text(keys::due_shard(shard)))
            .expression_attribute_values(":now", text(now.to_string()))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let mut pages = Self::pages(request, after.map(Overdue::index_key));
        let mut found = Vec::new();
        while let Some(page) = pages.next().await? {
            found.extend(page.iter().filter_map(Overdue::of));
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Replaces an outdated due time by the one of the newest state under today's rules: the
    /// configured durations may have changed since it was written. A due time that another commit
    /// has changed since stays.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn reschedule(&self, stale: &Overdue, state: &State) -> Result<(), ReadError> {
        let at = self.rules.due(state);
        let set = at.map(|at| (keys::DUE, text(at.to_string())));
        let remove: &[&str] = match at {
            Some(_) => &[],
            None => &[keys::DUE, keys::DUE_SHARD],
        };
        let update = update_attributes(stale.key(), set.into_iter().collect(), remove)
            .condition_expression("#due = :stale")
            .expression_attribute_values(":stale", text(stale.since.to_string()));
        Ok(self.update_if(update).await?)
    }
}
