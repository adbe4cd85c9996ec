//! Which sessions somebody must look at: the sparse index of what is owed.

use session::{SessionId, Timestamp};

use crate::items::text;
use crate::{ReadError, SessionManager, keys};

impl SessionManager {
    /// The sessions of a shard (0 to [`SHARDS`](crate::SHARDS) - 1) with something overdue, the longest overdue first, at
    /// most `limit`. The index may lag: whoever acts on it looks at the newest entry first.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, ReadError> {
        let request = self
            .query()
            .index_name(keys::BY_DUE)
            .key_condition_expression("due_shard = :shard AND due <= :now")
            .expression_attribute_values(":shard", text(keys::due_shard(shard)))
            .expression_attribute_values(":now", text(now.to_string()))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let mut pages = Self::pages(request, None);
        let mut found = Vec::new();
        while let Some(page) = pages.next().await? {
            let partitions = page
                .iter()
                .filter_map(|item| item.get(keys::PK)?.as_s().ok());
            found.extend(partitions.filter_map(|pk| keys::session_of(pk)));
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}
