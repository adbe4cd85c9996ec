//! What DynamoDB's answer to one try to append means.
//!
//! A refused condition is an answer, and brings the item that was in place. A cancelled transaction has a reason for each of its items:
//! they are read in the order of what they decide.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;
use session::CommitId;

use crate::error::{ChangeError, StorageError, is_conflict, is_throttle};
use crate::items::{Item, LogEntry, RequestKeyItem, from_item};
use crate::write::{Part, Write};

/// The code of a cancellation reason whose condition did not hold.
pub(crate) const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// What came of one try to append.
#[derive(Debug)]
pub(crate) enum Appended {
    /// The commit stands.
    Stands,
    /// Somebody's entry has the place.
    Lost(Box<LogEntry>),
    /// The client's key was used before.
    KeyTaken(Box<RequestKeyItem>),
    /// The task key of the run that ends is gone, or another session's.
    TaskKeyGone,
    /// Others were at the same items, or there was too much at once: the same again, a little later.
    Busy(StorageError),
}

/// Of a single put.
pub(crate) fn refused_put(
    error: SdkError<PutItemError>,
    ours: CommitId,
) -> Result<Appended, ChangeError> {
    if let Some(PutItemError::ConditionalCheckFailedException(lost)) = error.as_service_error()
        && let Some(item) = lost.item()
    {
        return lost_to(item.clone(), ours);
    }
    busy_or_broken(StorageError::of("PutItem", error))
}

/// Of a transaction.
pub(crate) fn refused_transaction(
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
        .filter(|(_, reason)| reason.code() == Some(CONDITION_FAILED))
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
    let busy = busy_code(cancelled.cancellation_reasons());
    busy_or_broken(StorageError::of("TransactWriteItems", error).because_of(busy))
}

fn busy_code(reasons: &[CancellationReason]) -> Option<String> {
    let mut codes = reasons.iter().filter_map(CancellationReason::code);
    codes
        .find(|code| is_conflict(code) || is_throttle(code))
        .map(ToOwned::to_owned)
}

fn refused_item(reason: &CancellationReason) -> Option<Item> {
    reason
        .item()
        .filter(|_| reason.code() == Some(CONDITION_FAILED))
        .cloned()
}

fn lost_to(item: Item, ours: CommitId) -> Result<Appended, ChangeError> {
    let entry = LogEntry::from_item(item)?;
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
