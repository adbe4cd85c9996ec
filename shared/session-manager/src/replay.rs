//! The mark of a replay at a follower, behind which live events wait.
//!
//! A publisher reads the followers after its commit and skips a connection whose replay goes on.
//! The replay removes the mark in one transaction with the check that the record ends where the
//! replay has arrived. So each event is sent by the replay or by its publisher, and the order on
//! the connection is that of the record. A replay whose function died ends with its time.
//!
//! A part that another function continues is claimed: the mark gets a new id, so a message that is
//! delivered twice, or too late, continues nothing.
//!
//! A connection has one replay at a time: a new one replaces the mark, and the replay before it
//! looks for its own mark before every few events. Going forward in the record is free. A replay
//! of events that were replayed before takes one from a small store, which fills again with time.

use std::time::Duration;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};
use serde::{Deserialize, Serialize};
use session::{RunId, Seq, SessionId, Timestamp};
use uuid::Uuid;

use crate::connections::{ConnectionId, failed_conditions, passing};
use crate::dynamo::item::{from_item, number, seq, text};
use crate::dynamo::items::{Connection, FollowerItem};
use crate::dynamo::keys;
use crate::dynamo::update::update_attributes;
use crate::error::ChangeError;
use crate::log::append::RetryBudget;
use crate::{ReadError, SessionManager};

/// How long live events wait for a part of a replay.
const REPLAY_TIME: Duration = Duration::from_secs(60);

/// How many replays that go back a connection has in store, and how soon one is there again.
const REPEATS: u32 = 10;
const REPEAT_AFTER: Duration = Duration::from_secs(1);

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

/// Whether a connection follows a session behind a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// It does. Any replay before has been replaced.
    Behind,
    /// The connection does not exist or has ended.
    Ended,
    /// It has gone back too often. Nothing changes: a replay that goes on stays.
    TooOften,
}

/// What a replay takes of the connection's store of repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Nothing: it goes forward.
    Free,
    /// One. The store is full at this time, which each repeat moves on.
    Taken(Timestamp),
    /// None is left.
    NoneLeft,
}

/// A replay to begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewReplay {
    pub id: ReplayId,
    /// When live events wait no longer, in seconds since 1970.
    pub until: i64,
    /// The event after which it begins.
    pub after: Seq,
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
    /// Makes a connection follow this session behind a replay of the events after `after`: it gets
    /// no live events yet.
    ///
    /// # Errors
    /// [`ChangeError::Unavailable`], [`ChangeError::Contention`].
    pub async fn follow_behind(
        &self,
        id: &ConnectionId,
        session: SessionId,
        run: Option<RunId>,
        (replay, after): (ReplayId, Seq),
        now: Timestamp,
    ) -> Result<Followed, ChangeError> {
        let new = NewReplay {
            id: replay,
            until: until(now),
            after,
        };
        self.follow_from(id, session, run, Some(new), now).await
    }

    /// What a replay of the events after `after` takes of the connection's store of repeats.
    pub(crate) async fn repeat(
        &self,
        id: &ConnectionId,
        connection: &Connection,
        session: SessionId,
        after: Seq,
        now: Timestamp,
    ) -> Result<Repeat, ReadError> {
        let goes_back = match connection.session_id {
            None => false,
            Some(before) if before != session => true,
            Some(_) => match self.get(id.follower_key(session)).await? {
                Some(item) => from_item::<FollowerItem>("follower", item)?.has_had(after),
                None => false,
            },
        };
        if !goes_back {
            return Ok(Repeat::Free);
        }
        let full = connection.repeats_full.unwrap_or(now).max(now);
        let next = full.plus(REPEAT_AFTER);
        Ok(match next <= now.plus(REPEAT_AFTER * REPEATS) {
            true => Repeat::Taken(next),
            false => Repeat::NoneLeft,
        })
    }

    /// Whether a replay is still the connection's own: none has replaced it.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn replay_goes_on(
        &self,
        id: &ConnectionId,
        session: SessionId,
        replay: ReplayId,
    ) -> Result<bool, ReadError> {
        let Some(item) = self.get(id.follower_key(session)).await? else {
            return Ok(false);
        };
        let follower: FollowerItem = from_item("follower", item)?;
        Ok(follower.replay_id == Some(replay))
    }

    /// Notes how far a replay has come whose next part the client asks for.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn note_replay(
        &self,
        id: &ConnectionId,
        session: SessionId,
        replay: ReplayId,
        reached: Seq,
    ) -> Result<(), ReadError> {
        let update = own_mark(id, session, replay, reached, &[]);
        Ok(self.update_if(update).await?)
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
    own_mark(id, session, replay, reached, &["replay_id", "replay_until"])
}

/// Sets how far a replay has come, if it was not replaced.
fn own_mark(
    id: &ConnectionId,
    session: SessionId,
    replay: ReplayId,
    reached: Seq,
    removed: &[&str],
) -> UpdateBuilder {
    let reached = vec![("after", seq(reached))];
    update_attributes(id.follower_key(session), reached, removed)
        .condition_expression("replay_id = :replay")
        .expression_attribute_values(":replay", text(replay.0.to_string()))
}
