//! The table's keys, indexes and key attributes.
//!
//! One partition holds one session; each owner, connection, request key, run locator and slot has
//! one of its own. No part of a key is text that a client chose: owners and request keys are
//! digests, and the rest are ids, times and numbers of fixed width, which sort as text in their own
//! order.

use aws_sdk_dynamodb::types::AttributeValue;
use session::{ApprovalId, Mode, OwnerId, RunId, Seq, SessionId, SessionStatus, Timestamp};

use super::item::Item;
use crate::log::size::ENTRY_EVENTS;

/// The partition key.
pub(crate) const PK: &str = "PK";
/// The sort key.
pub(crate) const SK: &str = "SK";
/// When DynamoDB may remove the item, in seconds since 1970. It may do so days late, so readers
/// check the time too.
pub(crate) const TTL: &str = "ttl";

/// Lists by owner and status.
pub(crate) const BY_OWNER_STATUS: &str = "by-owner-status";
/// Its partition key.
pub(crate) const OWNER_STATUS: &str = "owner_status";
/// Its sort key.
pub(crate) const UPDATED_KEY: &str = "updated_key";

/// Lists by owner, mode and status.
pub(crate) const BY_OWNER_MODE: &str = "by-owner-mode";
/// Its partition key.
pub(crate) const OWNER_MODE: &str = "owner_mode";
/// Its sort key.
pub(crate) const STATUS_UPDATED_KEY: &str = "status_updated_key";

/// Finds the sessions with a due action.
pub(crate) const BY_DUE: &str = "by-due";
/// Its partition key.
pub(crate) const DUE_SHARD: &str = "due_shard";
/// Its sort key.
pub(crate) const DUE: &str = "due";

/// The name of a session, which the summary of a deleted one does not have.
pub(crate) const NAME: &str = "name";

/// When a slot may be taken.
pub(crate) const FREE_AT: &str = "free_at";

/// The number of partitions of the `by-due` index. They share its load.
pub const SHARDS: u8 = 8;

/// The item that a list shows.
pub(crate) const SUMMARY: &str = "SUMMARY";
/// The session's configuration; `CONFIG#<run>` is a run's.
pub(crate) const CONFIG: &str = "CONFIG";
/// The sort key of a partition's only item.
pub(crate) const META: &str = "META";
/// The prefix of the sort key of every entry.
pub(crate) const LOG: &str = "LOG#";
/// The prefix of the sort key of every run.
pub(crate) const RUN: &str = "RUN#";
/// The prefix of the sort key of every approval.
pub(crate) const APPROVAL: &str = "APPROVAL#";
/// The prefix of the sort key of every connection that follows a session.
pub(crate) const CONNECTION: &str = "CONNECTION#";

const SESSION: &str = "SESSION#";

/// The largest number of 12 digits: the upper bound of every log query.
pub(crate) const LAST_SEQ: Seq = Seq(999_999_999_999);

/// The partition of a session.
pub(crate) fn session(id: SessionId) -> String {
    format!("{SESSION}{id}")
}

/// The session of a partition key, or `None` when the key is not a session's.
pub(crate) fn session_of(pk: &str) -> Option<SessionId> {
    pk.strip_prefix(SESSION)?.parse().ok()
}

/// The sort key of the entry whose first event has this sequence number.
pub(crate) fn entry(first: Seq) -> String {
    format!("{LOG}{:012}", first.0)
}

/// The first event of the entry with this sort key, or `None` when the key is not an entry's.
pub(crate) fn entry_of(sk: &str) -> Option<Seq> {
    sk.strip_prefix(LOG)?.parse().ok().map(Seq)
}

/// The number of events of the entry with this sort key, whose last event is `last`.
pub(crate) fn events_of(sk: &str, last: Seq) -> usize {
    let first = entry_of(sk).unwrap_or(last);
    let count = (last.0 + 1).saturating_sub(first.0);
    usize::try_from(count).map_or(0, |count| count.min(ENTRY_EVENTS))
}

/// A run's row.
pub(crate) fn run(id: RunId) -> String {
    format!("{RUN}{id}")
}

/// The key of the item that finds a run by its id alone.
pub(crate) fn run_locator(id: RunId) -> Item {
    key(run(id), META)
}

/// The run of the sort key of its row, or `None` when the key is not a run's.
pub(crate) fn run_of(sk: &str) -> Option<RunId> {
    sk.strip_prefix(RUN)?.parse().ok()
}

/// A run's own configuration.
pub(crate) fn run_config(id: RunId) -> String {
    format!("{CONFIG}#{id}")
}

/// An approval's row.
pub(crate) fn approval(id: ApprovalId) -> String {
    format!("{APPROVAL}{id}")
}

/// A connection: its own partition key, and the sort key in the partition of the session that it
/// follows.
pub(crate) fn connection(id: &str) -> String {
    format!("{CONNECTION}{id}")
}

/// A client's task id or `Idempotency-Key`.
pub(crate) fn request_key(owner: &OwnerId, scope: &str, key: &str) -> String {
    format!("KEY#{owner}#{scope}#{key}")
}

/// The key of the item with an owner's live runs.
pub(crate) fn live_runs(owner: &OwnerId) -> Item {
    key(format!("OWNER#{owner}"), "RUNS")
}

/// The key of the item with what an owner uses in a day (`2026-09-21`).
pub(crate) fn owner_day(owner: &OwnerId, day: &str) -> Item {
    key(format!("OWNER#{owner}"), format!("DAY#{day}"))
}

/// The key of a slot.
pub(crate) fn slot(name: &str) -> Item {
    key(format!("SLOT#{name}"), META)
}

/// `owner_status`.
pub(crate) fn owner_status(owner: &OwnerId, status: SessionStatus) -> String {
    format!("{owner}#{status}")
}

/// `owner_mode`.
pub(crate) fn owner_mode(owner: &OwnerId, mode: Mode) -> String {
    format!("{owner}#{mode}")
}

/// `updated_key`.
pub(crate) fn updated(at: Timestamp, id: SessionId) -> String {
    format!("{at}#{id}")
}

/// `status_updated_key`.
pub(crate) fn status_updated(status: SessionStatus, at: Timestamp, id: SessionId) -> String {
    format!("{status}#{at}#{id}")
}

/// `due_shard` of a session.
pub(crate) fn due_shard_of(id: SessionId) -> String {
    let shard = id.as_u128() % u128::from(SHARDS);
    format!("DUE#{shard}")
}

/// `due_shard` of a shard's number.
pub(crate) fn due_shard(shard: u8) -> String {
    format!("DUE#{shard}")
}

/// The primary key of an item.
pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    Item::from([
        (PK.into(), AttributeValue::S(pk.into())),
        (SK.into(), AttributeValue::S(sk.into())),
    ])
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn session_id() -> SessionId {
        "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()
    }

    #[test]
    fn entry_keys_sort_by_number() {
        assert_eq!(entry(Seq(1)), "LOG#000000000001");
        assert_eq!(entry_of(&entry(Seq(17))), Some(Seq(17)));
        assert_eq!(entry_of("RUN#17"), None);
        assert!(entry(Seq(9)) < entry(Seq(10)));
        assert!(entry(Seq(999_999)) < entry(LAST_SEQ));
        assert_eq!(entry(LAST_SEQ).len(), entry(Seq(1)).len());
    }

    #[test]
    fn only_a_session_partition_key_yields_a_session_id() {
        assert_eq!(session_of(&session(session_id())), Some(session_id()));
        assert_eq!(session_of("CONNECTION#x"), None);
        assert_eq!(session_of("SESSION#x"), None);
    }

    #[test]
    fn slots_and_run_locators_have_partitions_of_their_own() {
        assert_eq!(slot("arxiv"), key("SLOT#arxiv", "META"));
        let run_id = RunId::new(Uuid::from_u128(session_id().as_u128()));
        let pk = format!("RUN#{run_id}");
        assert_eq!(run_locator(run_id), key(&*pk, "META"));
        assert_eq!(run_of(&run(run_id)), Some(run_id));
        assert_eq!(run_of(&run_config(run_id)), None);
    }

    #[test]
    fn the_shard_is_one_of_eight_and_depends_on_the_id() {
        assert_eq!(due_shard_of(session_id()), due_shard(7));
        assert!(u8::try_from(session_id().as_u128() % 8).is_ok_and(|shard| shard < SHARDS));
    }
}
