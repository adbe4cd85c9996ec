//! What an owner uses in a day (UTC): one item for each day, which adds up and is removed by its
//! TTL. Only what the deployment limits is counted.

use std::time::Duration;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Update};
use serde::Deserialize;
use session::{OwnerId, Timestamp};

use crate::dynamo::item::{Item, from_item, number};
use crate::dynamo::keys;
use crate::error::{ChangeError, ReadError};
use crate::{LimitReached, SessionManager};

/// The length of a day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long an item is kept after its day.
const KEPT: Duration = Duration::from_secs(2 * 24 * 3600);

/// Costs, in US dollars.
const COST: &str = "cost_usd";

/// Promised uploads, in bytes.
const UPLOADS: &str = "upload_bytes";

/// The item of a day. A missing number is 0.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OwnerDay {
    cost_usd: f64,
}

/// How long the day still lasts.
fn rest_of_day(now: Timestamp) -> Duration {
    let day = DAY.as_secs().cast_signed();
    let rest = day - now.as_seconds().rem_euclid(day);
    Duration::from_secs(rest.unsigned_abs())
}

fn key(owner: &OwnerId, now: Timestamp) -> Item {
    // The text of a time begins with its day: 2026-09-21.
    let day = now.to_string().chars().take(10).collect::<String>();
    keys::owner_day(owner, &day)
}

/// Adds to a number of today's item.
fn add(owner: &OwnerId, now: Timestamp, name: &str, more: impl Into<String>) -> UpdateBuilder {
    let ends = now.plus(rest_of_day(now)).plus(KEPT);
    Update::builder()
        .set_key(Some(key(owner, now)))
        .update_expression("SET #ttl = :ttl ADD #sum :more")
        .expression_attribute_names("#ttl", keys::TTL)
        .expression_attribute_names("#sum", name)
        .expression_attribute_values(":ttl", number(ends.as_seconds()))
        .expression_attribute_values(":more", AttributeValue::N(more.into()))
}

impl SessionManager {
    /// The US dollars that an owner's runs may still cost today, 0 or less when they are spent.
    /// `None` without a limit, and then nothing is read.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn left_today(
        &self,
        owner: &OwnerId,
        now: Timestamp,
    ) -> Result<Option<f64>, ReadError> {
        let Some(limit) = self.limits.cost_usd_per_day else {
            return Ok(None);
        };
        let today: OwnerDay = match self.get(key(owner, now)).await? {
            Some(item) => from_item("owner's day", item)?,
            None => OwnerDay::default(),
        };
        Ok(Some(limit - today.cost_usd))
    }

    /// Books a cost, and returns what is left as [`SessionManager::left_today`] does. `None`
    /// without a limit, and then nothing is written.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn spend(
        &self,
        owner: &OwnerId,
        cost_usd: f64,
        now: Timestamp,
    ) -> Result<Option<f64>, ReadError> {
        let Some(limit) = self.limits.cost_usd_per_day else {
            return Ok(None);
        };
        // Billionths, as all sums of dollars have.
        let item = self
            .update_and_get(add(owner, now, COST, format!("{cost_usd:.9}")))
            .await?;
        let today: OwnerDay = from_item("owner's day", item)?;
        Ok(Some(limit - today.cost_usd))
    }

    /// Counts an upload that is about to be promised. It counts also if it is never sent.
    ///
    /// # Errors
    /// [`ChangeError::Limited`] beyond the limit of a day, [`ChangeError::Unavailable`].
    pub async fn promise_upload(
        &self,
        owner: &OwnerId,
        bytes: u64,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        let Some(limit) = self.limits.upload_bytes_per_day else {
            return Ok(());
        };
        let reached = LimitReached::DaysUploads {
            limit,
            renewed_in: rest_of_day(now),
        };
        let rest = limit.checked_sub(bytes).ok_or(reached)?;
        let update = add(owner, now, UPLOADS, bytes.to_string())
            .condition_expression("attribute_not_exists(#sum) OR #sum <= :rest")
            .expression_attribute_values(":rest", AttributeValue::N(rest.to_string()));
        match self.update_or_old(update).await? {
            None => Ok(()),
            Some(_) => Err(reached.into()),
        }
    }

    /// Refuses when the owner's dollars of today are spent.
    pub(crate) async fn check_budget(
        &self,
        owner: &OwnerId,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        match self.left_today(owner, now).await? {
            Some(left) if left <= 0.0 => Err(LimitReached::DaysCosts {
                renewed_in: rest_of_day(now),
            }
            .into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (now, rest) in [
            ("2026-09-21T00:00:00.000000Z", 86_400),
            ("2026-09-21T23:59:59.999999Z", 1),
            ("2026-09-21T14:13:20.123456Z", 35_200),
        ] {
            assert_eq!(rest_of_day(at(now)), Duration::from_secs(rest), "{now}");
        }
        let owner = OwnerId::of("issuer", "ada");
        let key = key(&owner, at("2026-09-21T14:13:20.123456Z"));
        assert_eq!(key, keys::key(format!("OWNER#{owner}"), "DAY#2026-09-21"));
    }
}
