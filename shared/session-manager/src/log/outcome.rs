//! The meaning of DynamoDB's response to one try to append.
//!
//! A failed condition returns the existing item. A cancelled transaction has a reason for each of
//! its items; they are evaluated by precedence.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;
use session::CommitId;

use super::transaction::{CommitTransaction, RowKind};
use crate::dynamo::item::{Item, from_item};
use crate::dynamo::items::{EntryHead, RequestKeyItem};
use crate::error::{ChangeError, StorageError, is_conflict, is_throttle};

/// The cancellation code of a failed condition.
pub(crate) const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// The outcome of one try to append.
#[derive(Debug)]
pub(crate) enum AppendOutcome {
    /// The commit succeeded.
    Committed,
    /// Another commit's entry has the sequence number.
    Lost(Box<EntryHead>),
    /// The client's request key was used before.
    RequestKeyTaken(Box<RequestKeyItem>),
    /// The task key of the run that ends is missing, or belongs to another session.
    TaskKeyMissing,
    /// A conflict or a throttled request: the same write is tried again after a pause.
    Busy(StorageError),
}

/// The outcome of a failed put.
pub(crate) fn put_failed(
    error: SdkError<PutItemError>,
    own: CommitId,
) -> Result<AppendOutcome, ChangeError> {
    if let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error()
        && let Some(item) = failed.item()
    {
        return entry_exists(item.clone(), own);
    }
    busy_or_failed(StorageError::of("PutItem", error))
}

/// The outcome of a failed transaction.
pub(crate) fn transaction_failed(
    error: SdkError<TransactWriteItemsError>,
    transaction: &CommitTransaction<'_>,
) -> Result<AppendOutcome, ChangeError> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return busy_or_failed(StorageError::of("TransactWriteItems", error));
    };
    let mut reasons = cancelled.cancellation_reasons().iter();
    let entry = reasons.next().and_then(existing_item);
    let rows: Vec<_> = transaction
        .rows
        .iter()
        .map(|(kind, _)| *kind)
        .zip(reasons)
        .filter(|(_, reason)| reason.code() == Some(CONDITION_FAILED))
        .collect();
    let failed = |wanted: RowKind| rows.iter().find(|(kind, _)| *kind == wanted);

    let lost = entry.map(|item| entry_exists(item, transaction.entry.commit));
    if let Some(Ok(AppendOutcome::Committed)) = lost {
        return Ok(AppendOutcome::Committed);
    }
    // A used key precedes a lost race: this request was made before.
    if let Some(item) = failed(RowKind::RequestKey).and_then(|(_, reason)| existing_item(reason)) {
        let used = from_item("request key", item)?;
        return Ok(AppendOutcome::RequestKeyTaken(Box::new(used)));
    }
    if let Some(lost) = lost {
        return lost;
    }
    if failed(RowKind::TaskKey).is_some() {
        return Ok(AppendOutcome::TaskKeyMissing);
    }
    let code = busy_code(cancelled.cancellation_reasons());
    busy_or_failed(StorageError::of("TransactWriteItems", error).with_code(code))
}

fn busy_code(reasons: &[CancellationReason]) -> Option<String> {
    let mut codes = reasons.iter().filter_map(CancellationReason::code);
    codes
        .find(|code| is_conflict(code) || is_throttle(code))
        .map(ToOwned::to_owned)
}

fn existing_item(reason: &CancellationReason) -> Option<Item> {
    reason
        .item()
        .filter(|_| reason.code() == Some(CONDITION_FAILED))
        .cloned()
}

fn entry_exists(item: Item, own: CommitId) -> Result<AppendOutcome, ChangeError> {
    let entry = EntryHead::from_item(item)?;
    if entry.commit == own {
        return Ok(AppendOutcome::Committed);
    }
    Ok(AppendOutcome::Lost(Box::new(entry)))
}

fn busy_or_failed(error: StorageError) -> Result<AppendOutcome, ChangeError> {
    if error.is_conflict() || error.is_throttled() {
        return Ok(AppendOutcome::Busy(error));
    }
    Err(ChangeError::Unavailable(error))
}
