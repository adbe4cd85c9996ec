//! The append protocol: the only way in which a session changes.
//!
//! An entry is put behind the newest one that the writer knows, on the condition that its place is free. A refused put brings
//! the entry that has the place: with its state the command is decided again, without a read. Only who loses twice in a row reads
//! the newest entry first. Is the entry in place our own, by its commit id, then a put was repeated whose reply was lost, and
//! the commit stands. Conditions decide, never clocks.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;
use session::{CommitId, SessionId, State};

use crate::error::{ChangeError, StorageError, is_conflict, is_throttle};
use crate::items::{Entry, Item, KeyRecord, from_item, text};
use crate::write::{Part, Write};
use crate::{ReadError, SessionManager, keys, wire};

/// What came of one try to append.
#[derive(Debug)]
pub(crate) enum Appended {
    /// The commit stands.
    Stands,
    /// Somebody's entry has the place.
    Lost(Box<Entry>),
    /// The client's key was used before.
    KeyTaken(Box<KeyRecord>),
    /// The task key of the run that ends is gone, or another session's.
    TaskKeyGone,
    /// Others were at the same items, or there was too much at once: the same again, a little later.
    Busy(StorageError),
}

/// The tries that one change has.
pub(crate) struct Tries {
    pauses: Box<dyn Iterator<Item = Duration> + Send>,
    lost: bool,
    trouble: Option<StorageError>,
}

impl Tries {
    pub fn new() -> Self {
        Self {
            pauses: Box::new(wire::pauses()),
            lost: false,
            trouble: None,
        }
    }

    /// Takes the next try at once, if no race was lost before.
    pub fn at_once(&mut self) -> bool {
        let first = !std::mem::replace(&mut self.lost, true);
        first && self.pauses.next().is_some()
    }

    /// Waits for the next try, if there is one left.
    pub async fn pause(&mut self) -> Result<(), ChangeError> {
        let pause = self.pauses.next().ok_or_else(|| self.spent())?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Waits for the next try after trouble with the service.
    pub async fn after_trouble(&mut self, error: StorageError) -> Result<(), ChangeError> {
        self.trouble = Some(error);
        self.pause().await
    }

    fn spent(&mut self) -> ChangeError {
        match self.trouble.take() {
            Some(error) if error.is_throttled() => ChangeError::Unavailable(error),
            _ => ChangeError::Contention,
        }
    }
}

impl SessionManager {
    /// The newest state; deleted or not, whoever's it is.
    pub(crate) async fn newest(&self, session: SessionId) -> Result<Option<State>, ReadError> {
        let newest = self.newest_entry(session).await?;
        Ok(newest.map(|entry| entry.state))
    }

    /// The newest entry: one strongly consistent query backwards.
    pub(crate) async fn newest_entry(
        &self,
        session: SessionId,
    ) -> Result<Option<Entry>, ReadError> {
        let request = self
            .query()
            .key_condition_expression("PK = :pk AND begins_with(SK, :log)")
            .expression_attribute_values(":pk", text(keys::session(session)))
            .expression_attribute_values(":log", text(keys::LOG))
            .scan_index_forward(false)
            .limit(1)
            .consistent_read(true);
        let newest = Self::pages(request, None).next().await?;
        let newest = newest.and_then(|mut page| page.pop());
        Ok(newest.map(Entry::from_item).transpose()?)
    }

    /// Tries once to append.
    pub(crate) async fn append(&self, write: &Write) -> Result<Appended, ChangeError> {
        let ours = write.entry.commit;
        if write.rows.is_empty() {
            return match self.put_new(write.entry_item.clone()).await {
                Ok(()) => Ok(Appended::Stands),
                Err(error) => refused_put(error, ours),
            };
        }
        match self.transact(write.transaction(&self.table)).await {
            Ok(()) => Ok(Appended::Stands),
            Err(error) => refused_transaction(error, write),
        }
    }
}

fn refused_put(error: SdkError<PutItemError>, ours: CommitId) -> Result<Appended, ChangeError> {
    if let Some(PutItemError::ConditionalCheckFailedException(lost)) = error.as_service_error()
        && let Some(item) = lost.item()
    {
        return lost_to(item.clone(), ours);
    }
    busy_or_broken(StorageError::of("PutItem", error))
}

fn refused_transaction(
    error: SdkError<TransactWriteItemsError>,
    write: &Write,
) -> Result<Appended, ChangeError> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return busy_or_broken(StorageError::of("TransactWriteItems", error));
    };
    let mut reasons = cancelled.cancellation_reasons().iter();
    let entry = reasons.next().and_then(refused_item);
    let rows: Vec<_> = write
        .rows
        .iter()
        .map(|(part, _)| *part)
        .zip(reasons)
        .filter(|(_, reason)| reason.code() == Some(FAILED))
        .collect();
    let refused = |meant: Part| rows.iter().find(|(part, _)| *part == meant);

    let lost = entry.map(|item| lost_to(item, write.entry.commit));
    if let Some(Ok(Appended::Stands)) = lost {
        return Ok(Appended::Stands);
    }
    // Whoever used the key before has made this very request: that says more than a lost place.
    if let Some(item) = refused(Part::Key).and_then(|(_, reason)| refused_item(reason)) {
        return Ok(Appended::KeyTaken(Box::new(from_item(
            "request key",
            item,
        )?)));
    }
    if let Some(lost) = lost {
        return lost;
    }
    if refused(Part::TaskKey).is_some() {
        return Ok(Appended::TaskKeyGone);
    }
    let code = cancelled
        .cancellation_reasons()
        .iter()
        .filter_map(CancellationReason::code)
        .find(|code| is_conflict(code) || is_throttle(code))
        .map(ToOwned::to_owned);
    busy_or_broken(StorageError::of("TransactWriteItems", error).because_of(code))
}

/// The code of a cancellation reason whose condition did not hold.
const FAILED: &str = "ConditionalCheckFailed";

fn refused_item(reason: &CancellationReason) -> Option<Item> {
    reason
        .item()
        .filter(|_| reason.code() == Some(FAILED))
        .cloned()
}

fn lost_to(item: Item, ours: CommitId) -> Result<Appended, ChangeError> {
    let entry = Entry::from_item(item)?;
    if entry.commit == ours {
        return Ok(Appended::Stands);
    }
    Ok(Appended::Lost(Box::new(entry)))
}

fn busy_or_broken(error: StorageError) -> Result<Appended, ChangeError> {
    if error.is_conflict() || error.is_throttled() {
        return Ok(Appended::Busy(error));
    }
    Err(ChangeError::Unavailable(error))
}
