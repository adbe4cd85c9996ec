//! Connections of the WebSocket API: who is connected, and which session each follows.
//!
//! A connection has an item of its own and, where it follows a session, one beside that session for the fan-out. The two change in
//! one transaction, so that frames of one connection that are handled at the same time leave it following one session.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use session::{OwnerId, RunId, SessionId, Timestamp};

use crate::append::Tries;
use crate::error::{ChangeError, StorageError, is_conflict, is_throttle};
use crate::items::{Connection, FollowerItem, Item, from_item, text, to_item};
use crate::outcome::CONDITION_FAILED;
use crate::update::moved;
use crate::{ReadError, SessionManager, keys};

/// API Gateway ends a connection after two hours; the item outlives it by half an hour.
const CONNECTION_TTL: Duration = Duration::from_secs(150 * 60);

const EXPECTED: &str = "table, key, item and expression are set";

/// API Gateway's name for a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// As API Gateway gave it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn meta(&self) -> Item {
        keys::key(keys::connection(self), keys::META)
    }

    fn beside(&self, session: SessionId) -> Item {
        keys::key(keys::session(session), keys::connection(self))
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl SessionManager {
    /// Remembers a connection. It ends with its owner's token, if that ends before API Gateway would end it.
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
            ttl: token_ends.unwrap_or(longest).min(longest).as_seconds(),
        };
        let mut item = to_item("connection", connection)?;
        item.extend(id.meta());
        Ok(self.put(item).await?)
    }

    /// A connection, unless its time is over.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn connection(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, ReadError> {
        let Some(item) = self.get(id.meta()).await? else {
            return Ok(None);
        };
        let connection: Connection = from_item("connection", item)?;
        Ok(Some(connection).filter(|connection| now.as_seconds() < connection.ttl))
    }

    /// Lets a connection follow a session, and no other any more. `run` is what its frames mean when they name none.
    ///
    /// False when there is no such connection (any more).
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
        let mut tries = Tries::new();
        loop {
            let Some(connection) = self.connection(id, now).await? else {
                return Ok(false);
            };
            if connection.session_id == Some(session) && connection.run_id == run {
                return Ok(true);
            }
            let moves = self.moves(id, &connection, session, run)?;
            let Err(error) = self.transact(moves).await else {
                return Ok(true);
            };
            let raced = is_race(&error);
            let error = StorageError::of("TransactWriteItems", error);
            if !(raced || error.is_throttled() || error.is_conflict()) {
                return Err(error.into());
            }
            tries.after_trouble(error).await?;
        }
    }

    /// What moves a connection from the session that it follows to another one, if it still follows the first.
    fn moves(
        &self,
        id: &ConnectionId,
        connection: &Connection,
        session: SessionId,
        run: Option<RunId>,
    ) -> Result<Vec<TransactWriteItem>, ChangeError> {
        let follower = FollowerItem {
            connection_id: id.to_string(),
            ttl: connection.ttl,
        };
        let mut item = to_item("follower", follower)?;
        item.extend(id.beside(session));
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .build()
            .expect(EXPECTED);
        let update = follows(id, connection.session_id, session, run)
            .table_name(&self.table)
            .build()
            .expect(EXPECTED);
        let mut moves = vec![
            TransactWriteItem::builder().put(put).build(),
            TransactWriteItem::builder().update(update).build(),
        ];
        if let Some(before) = connection.session_id.filter(|before| *before != session) {
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(id.beside(before)))
                .build()
                .expect(EXPECTED);
            moves.push(TransactWriteItem::builder().delete(delete).build());
        }
        Ok(moves)
    }

    /// Forgets a connection, and that it follows a session.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn disconnect(&self, id: &ConnectionId) -> Result<(), ReadError> {
        let Some(item) = self.delete(id.meta()).await? else {
            return Ok(());
        };
        let connection: Connection = from_item("connection", item)?;
        if let Some(session) = connection.session_id {
            self.delete(id.beside(session)).await?;
        }
        Ok(())
    }

    /// Forgets a follower of a session that turned out to be gone, whatever is left of it.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn forget_follower(
        &self,
        session: SessionId,
        id: &ConnectionId,
    ) -> Result<(), ReadError> {
        self.delete(id.beside(session)).await?;
        self.disconnect(id).await
    }

    /// The connections that follow a session, strongly consistent: those within DynamoDB's first page of 1 MiB, some
    /// thousands. Whoever lies behind gets no live event, and reads the record.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn followers(
        &self,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Vec<ConnectionId>, ReadError> {
        let request = self
            .query()
            .key_condition_expression("PK = :pk AND begins_with(SK, :connection)")
            .expression_attribute_values(":pk", text(keys::session(session)))
            .expression_attribute_values(":connection", text(keys::CONNECTION))
            .consistent_read(true);
        let mut followers = Vec::new();
        for item in Self::pages(request, None).next().await?.unwrap_or_default() {
            let follower: FollowerItem = from_item("follower", item)?;
            if now.as_seconds() < follower.ttl {
                followers.push(ConnectionId::new(follower.connection_id));
            }
        }
        Ok(followers)
    }
}

/// Writes into a connection's item what it follows, if it is there and still follows what it did before.
fn follows(
    id: &ConnectionId,
    before: Option<SessionId>,
    session: SessionId,
    run: Option<RunId>,
) -> UpdateBuilder {
    let mut set = vec![("session_id", text(session.to_string()))];
    set.extend(run.map(|run| ("run_id", text(run.to_string()))));
    let remove: &[&str] = if run.is_some() { &[] } else { &["run_id"] };
    let update = moved(id.meta(), set, remove);
    match before {
        None => {
            update.condition_expression("attribute_exists(PK) AND attribute_not_exists(session_id)")
        }
        Some(before) => update
            .condition_expression("session_id = :before")
            .expression_attribute_values(":before", text(before.to_string())),
    }
}

/// Whether another frame of the same connection, or too much at once, was in the way.
fn is_race(error: &SdkError<TransactWriteItemsError>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return false;
    };
    let codes = cancelled.cancellation_reasons().iter();
    codes
        .filter_map(|reason| reason.code())
        .any(|code| code == CONDITION_FAILED || is_conflict(code) || is_throttle(code))
}
