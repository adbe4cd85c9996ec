//! Size limits of DynamoDB and of the contract, checked before anything is written.
//!
//! An oversized write fails on every try, so it is never tried. Item sizes follow DynamoDB's rule
//! (Developer Guide, "Item sizes and formats"): names and texts in UTF-8 bytes, a number about half
//! its digits.

use aws_sdk_dynamodb::types::AttributeValue;
use session::{ApprovalReceived, CONTENT_BYTES, EventBody, FRAME_BYTES, StoredEventBody};

use crate::dynamo::item::Item;
use crate::dynamo::items::LogEntry;
use crate::error::TooLarge;

const KB: usize = 1024;

/// DynamoDB: one item, names included.
const ITEM_BYTES: usize = 400 * KB;
/// DynamoDB: all items of a transaction together.
const TRANSACTION_BYTES: usize = 4 * KB * KB;
/// DynamoDB: the number of items of a transaction.
const TRANSACTION_ITEMS: usize = 100;
/// The number of events of one entry. Readers that begin in the middle of a log rely on it.
pub(crate) const ENTRY_EVENTS: usize = 32;

/// The size of an item in bytes, as DynamoDB counts it.
pub fn item_size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_size(value))
        .sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(list) => {
            3 + list
                .iter()
                .map(|value| 1 + value_size(value))
                .sum::<usize>()
        }
        AttributeValue::M(map) => 3 + map.len() + item_size(map),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|n| n.len().div_ceil(2) + 1).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| blob.as_ref().len()).sum(),
        _ => 1,
    }
}

fn at_most(
    what: &'static str,
    size: usize,
    limit: usize,
    unit: &'static str,
) -> Result<(), TooLarge> {
    if size <= limit {
        return Ok(());
    }
    Err(TooLarge {
        what,
        size,
        limit,
        unit,
    })
}

/// Checks the items that one transaction puts, or the item of a single put.
pub(crate) fn check_items<'a>(items: impl Iterator<Item = &'a Item>) -> Result<(), TooLarge> {
    let (mut count, mut total) = (0, 0);
    for item in items {
        let size = item_size(item);
        at_most("an item", size, ITEM_BYTES, "bytes")?;
        count += 1;
        total += size;
    }
    at_most("a transaction", count, TRANSACTION_ITEMS, "items")?;
    at_most("a transaction", total, TRANSACTION_BYTES, "bytes")
}

/// Checks the events of one entry: their number, their contents, and that each fits into a frame.
pub(crate) fn check_events(entry: &LogEntry) -> Result<(), TooLarge> {
    at_most("a commit", entry.events.len(), ENTRY_EVENTS, "events")?;
    for envelope in entry.envelopes() {
        if let StoredEventBody::Known(body) = &envelope.body {
            check_contents(body)?;
        }
        let frame = serde_json::to_string(&envelope).map_or(usize::MAX, |json| json.len());
        at_most("an event", frame, FRAME_BYTES, "bytes of JSON")?;
    }
    Ok(())
}

fn check_contents(body: &EventBody) -> Result<(), TooLarge> {
    let content = |what, text: &str| at_most(what, text.len(), CONTENT_BYTES, "bytes");
    match body {
        EventBody::UserMessage { content: text, .. }
        | EventBody::AgentMessage { message: text, .. } => content("a message", text),
        EventBody::ApprovalReceived(ApprovalReceived {
            feedback: Some(text),
            ..
        }) => content("a feedback", text),
        EventBody::PlanningComplete { steps, .. } => steps.iter().try_for_each(|step| {
            let points: usize = step.bullet_points.iter().map(String::len).sum();
            at_most(
                "a step of a plan",
                step.sub_task.len() + points,
                CONTENT_BYTES,
                "bytes",
            )
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use session::{CommitId, Event, Mode, NewSession, OwnerId, SessionId, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::dynamo::item::text;

    fn entry(bodies: Vec<EventBody>) -> LogEntry {
        let now = Timestamp::from_micros(1_790_000_000_000_000).unwrap();
        let new = NewSession {
            id: SessionId::new(Uuid::from_u128(7)),
            owner: OwnerId::of("issuer", "ada"),
            mode: Mode::OneShot,
            run: None,
        };
        let mut change = session::create(&new, now);
        change.events = bodies
            .into_iter()
            .map(|body| Event {
                run_id: None,
                body: body.into(),
            })
            .collect();
        LogEntry::new(&change, CommitId::new(Uuid::from_u128(1)), now)
    }

    #[test]
    fn an_items_size_follows_dynamodbs_rule() {
        let item = Item::from([
            ("PK".into(), text("ä")),
            ("n".into(), AttributeValue::N("12345".into())),
            ("b".into(), AttributeValue::Bool(true)),
            (
                "l".into(),
                AttributeValue::L(vec![text("ab"), AttributeValue::Null(true)]),
            ),
        ]);
        assert_eq!(
            item_size(&item),
            (2 + 2) + (1 + 4) + (1 + 1) + (1 + 3 + 3 + 2)
        );
    }

    #[test]
    fn a_message_has_at_most_32_kib() {
        let said = |length: usize| entry(vec![EventBody::user("x".repeat(length))]);
        assert_eq!(check_events(&said(32 * KB)), Ok(()));
        let error = check_events(&said(32 * KB + 1)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a message has 32769 bytes, 32768 are allowed"
        );
    }

    #[test]
    fn a_commit_has_at_most_32_events() {
        let many = |count: usize| entry(vec![EventBody::user("x"); count]);
        assert_eq!(check_events(&many(32)), Ok(()));
        assert!(check_events(&many(33)).is_err());
    }

    #[test]
    fn an_event_must_fit_into_a_frame() {
        let output = |length: usize| {
            entry(vec![EventBody::Output {
                message: "x".repeat(length),
            }])
        };
        assert_eq!(check_events(&output(127 * KB)), Ok(()));
        assert_eq!(
            check_events(&output(128 * KB)).unwrap_err().what,
            "an event"
        );
    }

    #[test]
    fn an_item_must_be_below_400_kb() {
        let item = |length: usize| Item::from([("a".into(), text("x".repeat(length)))]);
        assert_eq!(check_items([&item(ITEM_BYTES - 1)].into_iter()), Ok(()));
        assert!(check_items([&item(ITEM_BYTES)].into_iter()).is_err());
        let big = item(ITEM_BYTES - 1);
        assert!(check_items(std::iter::repeat_n(&big, 11)).is_err(), "4 MB");
        let small = item(1);
        assert!(check_items(std::iter::repeat_n(&small, 101)).is_err());
    }
}
