//! What one owner may use at the same time and in a day, so that no owner starves the others.
//!
//! A run that is to start or to be resumed first reserves a place among its owner's live runs: one
//! conditional update of one item, which holds exactly under any number of concurrent starts. The
//! end of a run writes nothing. Only when the item is full are the reserved runs looked up, and the
//! places of those that are no longer live are given away in the same write.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Update};
use session::{OwnerId, RunId, RunStatus, SessionId, Timestamp};
use uuid::Uuid;

use crate::SessionManager;
use crate::dynamo::item::{Item, from_item, number};
use crate::dynamo::items::{RunLocatorItem, SessionSummary};
use crate::dynamo::keys;
use crate::error::{ChangeError, ReadError, StorageError};
use crate::log::append::RetryBudget;

/// How long a place is kept for a run that is not there yet, or not resumed yet: longer than any
/// request takes.
const PENDING: Duration = Duration::from_secs(60);

/// DynamoDB: the number of items of a read of several.
const BATCH: usize = 100;

/// The binary set of an owner's reservations.
const RESERVED: &str = "reserved";

/// The limits of each owner; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OwnerLimits {
    /// How many runs may be queued or running.
    pub live_runs: Option<u32>,
    /// How many US dollars the owner's runs may cost in a day (UTC).
    pub cost_usd_per_day: Option<f64>,
    /// How many bytes of uploads may be promised in a day (UTC).
    pub upload_bytes_per_day: Option<u64>,
}

/// An owner has used up a limit.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum LimitReached {
    /// So many runs are queued or running already.
    #[error("At most {0} of your runs may be queued or running; try again when one has ended.")]
    LiveRuns(u32),
    /// The dollars of the day are spent.
    #[error("Your runs have cost what they may cost in a day; that is renewed at midnight UTC.")]
    DaysCosts {
        /// How long it takes until then.
        renewed_in: Duration,
    },
    /// The bytes of the day are promised.
    #[error("Uploads may have {limit} bytes in a day; that is renewed at midnight UTC.")]
    DaysUploads {
        /// How many are allowed.
        limit: u64,
        /// How long it takes until then.
        renewed_in: Duration,
    },
}

/// A place of a run, since a time in whole seconds. 20 bytes: 40 of them stay within 1 KB, and so
/// within one write unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Reservation {
    since: u32,
    run: RunId,
}

impl Reservation {
    fn new(run: RunId, now: Timestamp) -> Self {
        let since = u32::try_from(now.as_seconds()).unwrap_or(u32::MAX);
        Self { since, run }
    }

    fn to_blob(self) -> Blob {
        let mut bytes = self.run.as_u128().to_be_bytes().to_vec();
        bytes.extend(self.since.to_be_bytes());
        Blob::new(bytes)
    }

    fn of_blob(blob: &Blob) -> Option<Self> {
        let (run, since) = blob.as_ref().split_at_checked(16)?;
        Some(Self {
            since: u32::from_be_bytes(since.try_into().ok()?),
            run: RunId::new(Uuid::from_bytes(run.try_into().ok()?)),
        })
    }

    fn is_pending(self, now: Timestamp) -> bool {
        now.as_seconds() < i64::from(self.since) + PENDING.as_secs().cast_signed()
    }
}

type Reservations = BTreeSet<Reservation>;

fn reservations(item: &Item) -> Reservations {
    let set = item.get(RESERVED).and_then(|set| set.as_bs().ok());
    set.into_iter()
        .flatten()
        .filter_map(Reservation::of_blob)
        .collect()
}

fn blobs<'a>(reservations: impl IntoIterator<Item = &'a Reservation>) -> AttributeValue {
    AttributeValue::Bs(reservations.into_iter().map(|one| one.to_blob()).collect())
}

impl SessionManager {
    /// Sets the limits of each owner.
    #[must_use]
    pub fn with_limits(mut self, limits: OwnerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Reserves a place among the owner's live runs for a run that is about to begin or to go on,
    /// unless the owner's dollars of the day are spent. A second reservation of the same run in the
    /// same second is the first one.
    ///
    /// # Errors
    /// [`ChangeError::Limited`], and faults of the storage.
    pub async fn reserve_run(
        &self,
        owner: &OwnerId,
        run: RunId,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        self.check_budget(owner, now).await?;
        let Some(limit) = self.limits.live_runs else {
            return Ok(());
        };
        let own = Reservation::new(run, now);
        let mut retries = RetryBudget::new();
        loop {
            let full = match self.update_or_old(take_free(owner, own, limit)).await? {
                None => return Ok(()),
                Some(item) => reservations(&item),
            };
            let mut live = self.still_reserved(&full, now).await?;
            if live.len() >= limit as usize {
                return Err(ChangeError::Limited(LimitReached::LiveRuns(limit)));
            }
            live.insert(own);
            let replaced = self.update_or_old(replace(owner, &full, &live)).await?;
            if replaced.is_none() {
                return Ok(());
            }
            // Another start was first, and may have made room.
            retries.wait().await?;
        }
    }

    /// The reservations without those of runs that are no longer live.
    async fn still_reserved(
        &self,
        full: &Reservations,
        now: Timestamp,
    ) -> Result<Reservations, ReadError> {
        let sessions = self.sessions_of(full).await?;
        let statuses = self.last_run_statuses(sessions.values().copied()).await?;
        // A session has one live run at most, and only the newest can be it.
        let newest: HashMap<_, _> = full
            .iter()
            .filter_map(|one| Some((*sessions.get(&one.run)?, *one)))
            .collect();
        let is_live = |one: &Reservation| match sessions.get(&one.run) {
            None => one.is_pending(now),
            Some(session) => match statuses.get(session) {
                _ if newest[session] != *one => false,
                Some(status) if status.is_live() => true,
                // It may be about to be resumed.
                Some(RunStatus::Paused) => one.is_pending(now),
                _ => false,
            },
        };
        Ok(full.iter().copied().filter(is_live).collect())
    }

    /// The session of each run that was started.
    async fn sessions_of(
        &self,
        reserved: &Reservations,
    ) -> Result<HashMap<RunId, SessionId>, ReadError> {
        let runs = reserved.iter().map(|one| one.run);
        let mut sessions = HashMap::new();
        for item in self.get_all(runs.map(keys::run_locator)).await? {
            let run = item.get(keys::PK).and_then(|pk| pk.as_s().ok());
            if let Some(run) = run.and_then(|pk| keys::run_of(pk)) {
                let locator: RunLocatorItem = from_item("run locator", item)?;
                sessions.insert(run, locator.session_id);
            }
        }
        Ok(sessions)
    }

    /// The status of each session's newest run. A deleted session has none.
    async fn last_run_statuses(
        &self,
        sessions: impl Iterator<Item = SessionId>,
    ) -> Result<HashMap<SessionId, RunStatus>, StorageError> {
        let summary = |session| keys::key(keys::session(session), keys::SUMMARY);
        let items = self.get_all(sessions.map(summary)).await?.into_iter();
        // A summary that cannot be read keeps no owner from starting runs.
        let summaries = items.filter_map(|item| from_item::<SessionSummary>("summary", item).ok());
        Ok(summaries
            .filter_map(|summary| Some((summary.session_id, summary.last_run_status?)))
            .collect())
    }

    /// Reads the items of any number of keys, each once.
    async fn get_all(&self, keys: impl Iterator<Item = Item>) -> Result<Vec<Item>, StorageError> {
        let mut distinct = Vec::new();
        for key in keys {
            if !distinct.contains(&key) {
                distinct.push(key);
            }
        }
        let mut found = Vec::new();
        for part in distinct.chunks(BATCH) {
            found.extend(self.batch_get(part.to_vec()).await?);
        }
        Ok(found)
    }
}

/// Takes a place if one is free.
fn take_free(
    owner: &OwnerId,
    own: Reservation,
    limit: u32,
) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
    Update::builder()
        .set_key(Some(keys::live_runs(owner)))
        .update_expression("ADD #reserved :own")
        .condition_expression(
            "attribute_not_exists(#reserved) OR size(#reserved) < :limit OR \
             contains(#reserved, :one)",
        )
        .expression_attribute_names("#reserved", RESERVED)
        .expression_attribute_values(":own", blobs([&own]))
        .expression_attribute_values(":one", AttributeValue::B(own.to_blob()))
        .expression_attribute_values(":limit", number(limit.into()))
}

/// Replaces the reservations, unless another start has changed them.
fn replace(
    owner: &OwnerId,
    full: &Reservations,
    live: &Reservations,
) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
    Update::builder()
        .set_key(Some(keys::live_runs(owner)))
        .update_expression("SET #reserved = :live")
        .condition_expression("#reserved = :full")
        .expression_attribute_names("#reserved", RESERVED)
        .expression_attribute_values(":live", blobs(live))
        .expression_attribute_values(":full", blobs(full))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item_size;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + second * 1_000_000).unwrap()
    }

    #[test]
    fn a_reservation_comes_back_and_is_pending_for_a_minute() {
        let own = Reservation::new(RunId::new(Uuid::from_u128(7)), at(0));
        assert_eq!(Reservation::of_blob(&own.to_blob()), Some(own));
        assert!(own.is_pending(at(59)) && !own.is_pending(at(60)));
        for other in [&b""[..], &[0; 19], &[0; 21]] {
            assert_eq!(Reservation::of_blob(&Blob::new(other)), None);
        }
    }

    #[test]
    fn forty_reservations_are_one_write_unit() {
        let owner = OwnerId::of("issuer", "ada");
        let of = |count: u128| {
            let runs = (0..count).map(|run| RunId::new(Uuid::from_u128(run)));
            let all: Reservations = runs.map(|run| Reservation::new(run, at(0))).collect();
            let mut item = keys::live_runs(&owner);
            item.insert(RESERVED.into(), blobs(&all));
            item_size(&item)
        };
        assert!(of(20) <= 512, "{}", of(20));
        assert!(of(40) <= 1024, "{}", of(40));
    }
}
