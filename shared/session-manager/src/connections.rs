//! Connections of the WebSocket API and the sessions that they follow.
//!
//! A connection has an item of its own and, while it follows a session, a follower item in that
//! session's partition for the fan-out. One transaction changes both, so that concurrent frames of
//! one connection leave it following one session.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use serde::{Deserialize, Serialize};
use session::{OwnerId, RunId, Seq, SessionId, Timestamp};

use crate::dynamo::item::{Item, from_item, text, to_item};
use crate::dynamo::items::{Connection, FollowerItem};
use crate::dynamo::keys;
use crate::dynamo::update::update_attributes;
use crate::error::{ChangeError, StorageError, is_conflict, is_throttle};
use crate::log::append::RetryBudget;
use crate::log::outcome::CONDITION_FAILED;
use crate::replay::{Followed, NewReplay, Repeat};
use crate::{ReadError, SessionManager};

/// API Gateway ends a connection after two hours. The item stays half an hour longer.
const CONNECTION_TTL: Duration = Duration::from_secs(150 * 60);

const EXPECTED: &str = "table, key, item and expression are set";

/// API Gateway's id of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// Wraps the id that API Gateway gave.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(&self) -> Item {
        keys::key(keys::connection(&self.0), keys::META)
    }

    pub(crate) fn follower_key(&self, session: SessionId) -> Item {
        keys::key(keys::session(session), keys::connection(&self.0))
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A connection that gets a session's live events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follower {
    /// The connection.
    pub connection: ConnectionId,
    /// The last event that it has from a replay.
    pub after: Seq,
}

impl SessionManager {
    /// Stores a connection. It ends when its owner's token expires, if that is before API Gateway
    /// ends it.
    ///
    /// # Errors
    /// [`ChangeError::Unavailable`].
    pub async fn connect(
        &self,
        id: &ConnectionId,
        owner: &OwnerId,
        task_id: &str,
        token_ends: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        let longest = now.plus(CONNECTION_TTL);
        let connection = Connection {
            owner: owner.clone(),
            task_id: task_id.to_owned(),
            session_id: None,
            run_id: None,
            repeats_full: None,
            ttl: token_ends.unwrap_or(longest).min(longest).as_seconds(),
        };
        let mut item = to_item("connection", connection)?;
        item.extend(id.key());
        Ok(self.put(item).await?)
    }

    /// A connection, unless it has ended.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn connection(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, ReadError> {
        let Some(item) = self.get(id.key()).await? else {
            return Ok(None);
        };
        let connection: Connection = from_item("connection", item)?;
        Ok(Some(connection).filter(|connection| now.as_seconds() < connection.ttl))
    }

    /// Makes a connection follow this session instead of another one. `run` is the run of frames
    /// that name none.
    ///
    /// Returns false when the connection does not exist or has ended.
    ///
    /// # Errors
    /// [`ChangeError::Unavailable`], [`ChangeError::Contention`].
    pub async fn follow(
        &self,
        id: &ConnectionId,
        session: SessionId,
        run: Option<RunId>,
        now: Timestamp,
    ) -> Result<bool, ChangeError> {
        let followed = self.follow_from(id, session, run, None, now).await?;
        Ok(followed == Followed::Behind)
    }

    /// Makes a connection follow this session, behind a replay if one is given.
    pub(crate) async fn follow_from(
        &self,
        id: &ConnectionId,
        session: SessionId,
        run: Option<RunId>,
        replay: Option<NewReplay>,
        now: Timestamp,
    ) -> Result<Followed, ChangeError> {
        let mut retries = RetryBudget::new();
        loop {
            let Some(connection) = self.connection(id, now).await? else {
                return Ok(Followed::Ended);
            };
            let follows = connection.session_id == Some(session) && connection.run_id == run;
            let repeat = match replay {
                None if follows => return Ok(Followed::Behind),
                None => Repeat::Free,
                Some(NewReplay { after, .. }) => {
                    self.repeat(id, &connection, session, after, now).await?
                }
            };
            let repeats_full = match repeat {
                Repeat::Free => connection.repeats_full,
                Repeat::Taken(full) => Some(full),
                Repeat::NoneLeft => return Ok(Followed::TooOften),
            };
            let follower = FollowerItem {
                connection_id: id.to_string(),
                ttl: connection.ttl,
                after: None,
                replay_id: replay.map(|replay| replay.id),
                replay_until: replay.map(|replay| replay.until),
            };
            let next = Connection {
                session_id: Some(session),
                run_id: run,
                repeats_full,
                ..connection.clone()
            };
            let items = self.follow_items(id, &connection, &next, (session, follower))?;
            let Err(error) = self.transact(items).await else {
                return Ok(Followed::Behind);
            };
            retries.wait_after(passing(error)?).await?;
        }
    }

    /// The transaction that changes the followed session. It fails when another frame has changed
    /// the connection meanwhile.
    fn follow_items(
        &self,
        id: &ConnectionId,
        connection: &Connection,
        next: &Connection,
        (session, follower): (SessionId, FollowerItem),
    ) -> Result<Vec<TransactWriteItem>, ChangeError> {
        let mut item = to_item("follower", follower)?;
        item.extend(id.follower_key(session));
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .build()
            .expect(EXPECTED);
        let update = follow_update(id, connection, next)
            .table_name(&self.table)
            .build()
            .expect(EXPECTED);
        let mut items = vec![
            TransactWriteItem::builder().put(put).build(),
            TransactWriteItem::builder().update(update).build(),
        ];
        if let Some(before) = connection.session_id.filter(|before| *before != session) {
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(id.follower_key(before)))
                .build()
                .expect(EXPECTED);
            items.push(TransactWriteItem::builder().delete(delete).build());
        }
        Ok(items)
    }

    /// Removes a connection and its follower item.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn disconnect(&self, id: &ConnectionId) -> Result<(), ReadError> {
        let Some(item) = self.delete(id.key()).await? else {
            return Ok(());
        };
        let connection: Connection = from_item("connection", item)?;
        if let Some(session) = connection.session_id {
            self.delete(id.follower_key(session)).await?;
        }
        Ok(())
    }

    /// Removes a follower of a session whose connection no longer exists, and its connection item.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn forget_follower(
        &self,
        session: SessionId,
        id: &ConnectionId,
    ) -> Result<(), ReadError> {
        self.delete(id.follower_key(session)).await?;
        self.disconnect(id).await
    }

    /// The connections that get a session's live events, strongly consistent: those on DynamoDB's
    /// first page of 1 MiB, which are some thousands. Connections on later pages get none, and
    /// their clients read the record. A connection whose replay goes on gets them from the replay.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn followers(
        &self,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Vec<Follower>, ReadError> {
        let request = self
            .query()
            .key_condition_expression("PK = :pk AND begins_with(SK, :connection)")
            .expression_attribute_values(":pk", text(keys::session(session)))
            .expression_attribute_values(":connection", text(keys::CONNECTION))
            .consistent_read(true);
        let mut followers = Vec::new();
        for item in Self::pages(request, None).next().await?.unwrap_or_default() {
            let follower: FollowerItem = from_item("follower", item)?;
            if follower.is_live(now) {
                followers.push(Follower {
                    connection: ConnectionId::new(follower.connection_id),
                    after: follower.after.unwrap_or_default(),
                });
            }
        }
        Ok(followers)
    }
}

/// The update of a connection's item, on the condition that it exists, follows the same session as
/// before, and has taken no repeat since.
fn follow_update(id: &ConnectionId, before: &Connection, next: &Connection) -> UpdateBuilder {
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    let fields = [
        ("session_id", next.session_id.map(|id| id.to_string())),
        ("run_id", next.run_id.map(|id| id.to_string())),
        ("repeats_full", next.repeats_full.map(|at| at.to_string())),
    ];
    for (name, value) in fields {
        match value {
            Some(value) => set.push((name, text(value))),
            None => remove.push(name),
        }
    }
    let mut condition = "attribute_exists(PK)".to_owned();
    let mut update = update_attributes(id.key(), set, &remove);
    for (name, value) in [
        ("session_id", before.session_id.map(|id| id.to_string())),
        ("repeats_full", before.repeats_full.map(|at| at.to_string())),
    ] {
        match value {
            None => condition += &format!(" AND attribute_not_exists({name})"),
            Some(value) => {
                condition += &format!(" AND {name} = :before_{name}");
                update = update.expression_attribute_values(format!(":before_{name}"), text(value));
            }
        }
    }
    update.condition_expression(condition)
}

/// The error of a transaction that may be tried again, or else the reason to give up.
pub(crate) fn passing(
    error: SdkError<TransactWriteItemsError>,
) -> Result<StorageError, ChangeError> {
    let raced = is_race(&error);
    let error = StorageError::of("TransactWriteItems", error);
    match raced || error.is_throttled() || error.is_conflict() {
        true => Ok(error),
        false => Err(error.into()),
    }
}

/// Whether the transaction lost against another frame of the same connection, or was throttled.
fn is_race(error: &SdkError<TransactWriteItemsError>) -> bool {
    codes(error).any(|code| code == CONDITION_FAILED || is_conflict(code) || is_throttle(code))
}

/// For each item of a cancelled transaction, whether its condition failed.
pub(crate) fn failed_conditions(error: &SdkError<TransactWriteItemsError>) -> Vec<bool> {
    codes(error).map(|code| code == CONDITION_FAILED).collect()
}

/// The reason of each item of a cancelled transaction.
fn codes(error: &SdkError<TransactWriteItemsError>) -> impl Iterator<Item = &str> {
    let reasons = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons()
        }
        _ => &[],
    };
    let reasons = reasons.iter();
    reasons.map(|reason| reason.code().unwrap_or_default())
}
