//! The mark of a replay at a follower, behind which live events wait.
//!
//! A publisher reads the followers after its commit and skips a connection whose replay goes on.
//! The replay removes the mark in one transaction with the check that the record ends where the
//! replay has arrived. So each event is sent by the replay or by its publisher, and the order on
//! the connection is that of the record. A replay whose function died ends with its time.
//!
//! A part that another function continues is claimed: the mark gets a new id, so a message that is
//! delivered twice, or too late, continues nothing.

use std::time::Duration;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};
use serde::{Deserialize, Serialize};
use session::{RunId, Seq, SessionId, Timestamp};
use uuid::Uuid;

use crate::connections::{ConnectionId, failed_conditions, passing};
use crate::dynamo::item::{number, seq, text};
use crate::dynamo::keys;
use crate::dynamo::update::update_attributes;
use crate::error::ChangeError;
use crate::log::append::RetryBudget;
use crate::{ReadError, SessionManager};

/// How long live events wait for a part of a replay.
const REPLAY_TIME: Duration = Duration::from_secs(60);

const EXPECTED: &str = "table, key and condition are set";

/// One replay to one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReplayId(Uuid);

impl ReplayId {
    /// A new replay.
    pub fn new(id: Uuid) -> Self {
        Self(id)
    }
}

/// Whether a replay has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayEnd {
    /// The connection gets live events from now on.
    Live,
    /// The record has more events.
    More,
    /// Another replay began, or the connection follows the session no more.
    Replaced,
}

impl SessionManager {
    /// Makes a connection follow this session behind a replay: it gets no live events yet.
    ///
    /// Returns false when the connection does not exist or has ended.
    ///
    /// # Errors
    /// [`ChangeError::Unavailable`], [`ChangeError::Contention`].
    pub async fn follow_behind(
        &self,
        id: &ConnectionId,
        session: SessionId,
        run: Option<RunId>,
        replay: ReplayId,
        now: Timestamp,
    ) -> Result<bool, ChangeError> {
        let mark = (replay, until(now));
        self.follow_from(id, session, run, Some(mark), now).await
    }

    /// Takes a replay over under another id, with more time. Returns false when it was taken over
    /// before, was replaced, or its time is up.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn claim_replay(
        &self,
        id: &ConnectionId,
        session: SessionId,
        replay: ReplayId,
        next: ReplayId,
        now: Timestamp,
    ) -> Result<bool, ReadError> {
        let claimed = vec![
            ("replay_id", text(next.0.to_string())),
            ("replay_until", number(until(now))),
        ];
        let update = update_attributes(id.follower_key(session), claimed, &[])
            .condition_expression("replay_id = :replay AND replay_until > :now")
            .expression_attribute_values(":replay", text(replay.0.to_string()))
            .expression_attribute_values(":now", number(now.as_seconds()));
        let refused = self.update_or_old(update).await?;
        Ok(refused.is_none())
    }

    /// Ends a replay whose last event is `reached`, if the record ends there. Costs 4 write units.
    ///
    /// # Errors
    /// [`ChangeError::Unavailable`], [`ChangeError::Contention`].
    pub async fn end_replay(
        &self,
        id: &ConnectionId,
        session: SessionId,
        replay: ReplayId,
        reached: Seq,
    ) -> Result<ReplayEnd, ChangeError> {
        let mut retries = RetryBudget::new();
        loop {
            let check = ConditionCheck::builder()
                .table_name(&self.table)
                .set_key(Some(keys::key(
                    keys::session(session),
                    keys::entry(Seq(reached.0 + 1)),
                )))
                .condition_expression("attribute_not_exists(PK)")
                .build()
                .expect(EXPECTED);
            let update = go_live(id, session, replay, reached)
                .table_name(&self.table)
                .build()
                .expect(EXPECTED);
            let items = vec![
                TransactWriteItem::builder().condition_check(check).build(),
                TransactWriteItem::builder().update(update).build(),
            ];
            let Err(error) = self.transact(items).await else {
                return Ok(ReplayEnd::Live);
            };
            match failed_conditions(&error)[..] {
                [_, true] => return Ok(ReplayEnd::Replaced),
                [true, _] => return Ok(ReplayEnd::More),
                _ => {}
            }
            retries.wait_after(passing(error)?).await?;
        }
    }

    /// Ends a replay that cannot go on: live events follow `reached` with a gap.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn abandon_replay(
        &self,
        id: &ConnectionId,
        session: SessionId,
        replay: ReplayId,
        reached: Seq,
    ) -> Result<(), ReadError> {
        let update = go_live(id, session, replay, reached);
        Ok(self.update_if(update).await?)
    }
}

/// When live events wait no longer, in seconds since 1970.
fn until(now: Timestamp) -> i64 {
    now.plus(REPLAY_TIME).as_seconds()
}

/// Removes the mark of a replay that was not replaced.
fn go_live(id: &ConnectionId, session: SessionId, replay: ReplayId, reached: Seq) -> UpdateBuilder {
    let reached = vec![("after", seq(reached))];
    let removed = ["replay_id", "replay_until"];
    update_attributes(id.follower_key(session), reached, &removed)
        .condition_expression("replay_id = :replay")
        .expression_attribute_values(":replay", text(replay.0.to_string()))
}
