//! The sparse index of sessions with a due action.
//!
//! A due time is `<time>`. One that was put off is `<time>#<since>`, with the time of the first
//! putting off, so that the index alone tells how long the next pause is. A commit that moves the
//! due time replaces both.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use session::{SessionId, State, Timestamp};

use crate::dynamo::item::{Item, text};
use crate::dynamo::keys;
use crate::dynamo::update::update_attributes;
use crate::{ReadError, SessionManager};

/// The longest pause of a session that is put off.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// An overdue session of the index. The index may lag, so a caller reads the newest entry before it
/// acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// The session.
    pub session: SessionId,
    /// Its due time in the index.
    pub since: Timestamp,
    /// When it was first put off, if it was.
    pub put_off_since: Option<Timestamp>,
}

impl Overdue {
    fn of(item: &Item) -> Option<Self> {
        let attribute = |name| item.get(name)?.as_s().ok();
        let due = attribute(keys::DUE)?;
        let (since, put_off_since) = match due.split_once('#') {
            Some((since, first)) => (since, Some(first.parse().ok()?)),
            None => (due.as_str(), None),
        };
        Some(Self {
            session: keys::session_of(attribute(keys::PK)?)?,
            since: since.parse().ok()?,
            put_off_since,
        })
    }

    /// Its due time as the item has it.
    fn due(&self) -> String {
        match self.put_off_since {
            Some(first) => format!("{}#{first}", self.since),
            None => self.since.to_string(),
        }
    }

    fn key(&self) -> Item {
        keys::key(keys::session(self.session), keys::SUMMARY)
    }

    /// The exclusive start key of a query in the index. The item's due time may have changed since.
    fn index_key(&self) -> Item {
        let mut key = self.key();
        let shard = text(keys::due_shard_of(self.session));
        key.insert(keys::DUE_SHARD.into(), shard);
        key.insert(keys::DUE.into(), text(self.due()));
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
        self.move_due(stale, set.into_iter().collect(), remove)
            .await
    }

    /// Puts off a session that failed, or whose action may have been in vain: by `least` at first,
    /// then by as long as it has been put off for, up to an hour. A due time that a commit has
    /// changed since stays.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn put_off(
        &self,
        overdue: &Overdue,
        least: Duration,
        now: Timestamp,
    ) -> Result<(), ReadError> {
        let later = overdue.put_off(least, now);
        let set = vec![(keys::DUE, text(later.due()))];
        self.move_due(overdue, set, &[]).await
    }

    async fn move_due(
        &self,
        stale: &Overdue,
        set: Vec<(&str, AttributeValue)>,
        remove: &[&str],
    ) -> Result<(), ReadError> {
        let update = update_attributes(stale.key(), set, remove)
            .condition_expression("#due = :stale")
            .expression_attribute_values(":stale", text(stale.due()));
        Ok(self.update_if(update).await?)
    }
}

impl Overdue {
    fn put_off(&self, least: Duration, now: Timestamp) -> Self {
        let first = self.put_off_since.unwrap_or(now);
        let pause = now.since(first).clamp(least, LONGEST_PAUSE);
        Self {
            since: now.plus(pause),
            put_off_since: Some(first),
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + minute * 60_000_000).unwrap()
    }

    #[test]
    fn the_pauses_double_up_to_an_hour() {
        let minute = Duration::from_secs(60);
        let mut overdue = Overdue {
            session: SessionId::new(Uuid::from_u128(1)),
            since: at(-1_000),
            put_off_since: None,
        };
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            overdue = overdue.put_off(minute, now);
            pauses.push(overdue.since.since(now).as_secs() / 60);
            now = overdue.since;
        }
        assert_eq!(pauses, [1, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(overdue.put_off_since, Some(at(0)));
    }

    #[test]
    fn a_due_time_is_read_with_and_without_its_first_putting_off() {
        let mut item = keys::key(keys::session(SessionId::new(Uuid::from_u128(1))), "SUMMARY");
        for put_off_since in [None, Some(at(3))] {
            let overdue = Overdue {
                session: SessionId::new(Uuid::from_u128(1)),
                since: at(7),
                put_off_since,
            };
            item.insert(keys::DUE.into(), text(overdue.due()));
            assert_eq!(Overdue::of(&item), Some(overdue));
            assert!(overdue.due() > at(6).to_string() && overdue.due() < at(8).to_string());
        }
    }
}
