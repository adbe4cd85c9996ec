//! Which sessions somebody must look at: the sparse index of what is owed.

use session::{SessionId, State, Timestamp};

use crate::items::{Item, text};
use crate::update::moved;
use crate::{ReadError, SessionManager, keys};

/// A place in the index of what is owed. The index may lag: whoever acts on it looks at the newest entry first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// Which session.
    pub session: SessionId,
    /// Since when, as the index says.
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

    /// The key in the index, behind which a query goes on; the item itself may have moved since.
    fn index_key(&self) -> Item {
        let mut key = self.key();
        let shard = text(keys::due_shard_of(self.session));
        key.insert(keys::DUE_SHARD.into(), shard);
        key.insert(keys::DUE.into(), text(self.since.to_string()));
        key
    }
}

impl SessionManager {
    /// What is overdue in a shard (0 to [`SHARDS`](crate::SHARDS) - 1), the longest overdue first, from behind a place on.
    /// At most `limit`; none at the end.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: usize,
        behind: Option<&Overdue>,
    ) -> Result<Vec<Overdue>, ReadError> {
        let request = self
            .query()
            .index_name(keys::BY_DUE)
            .key_condition_expression("due_shard = :shard AND due <= :now")
            .expression_attribute_values(":shard", text(keys::due_shard(shard)))
            .expression_attribute_values(":now", text(now.to_string()))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let mut pages = Self::pages(request, behind.map(Overdue::index_key));
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

    /// Gives a session the place in the index that the rules say now, for its newest state, where the one that was found is out
    /// of date: the durations may have changed since it was written. A commit that was faster is let alone.
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
        let update = moved(stale.key(), set.into_iter().collect(), remove)
            .condition_expression("#due = :stale")
            .expression_attribute_values(":stale", text(stale.since.to_string()));
        Ok(self.update_if(update).await?)
    }
}
