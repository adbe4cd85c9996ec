//! The record of a session: its events in order of their sequence numbers.
//!
//! An entry may begin up to 31 events before the requested one. A query begins there, and events
//! outside the requested range are dropped.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use session::{Envelope, Seq, SessionId};

use crate::dynamo::item::{Item, text};
use crate::dynamo::items::LogEntry;
use crate::dynamo::keys;
use crate::log::size::ENTRY_EVENTS;
use crate::{Actor, ReadError, SessionManager};

/// The size limit of every page, in bytes of JSON.
pub(crate) const PAGE_BYTES: usize = 1024 * 1024;

/// The largest distance between the first and the last event of an entry.
const REACH: u64 = ENTRY_EVENTS as u64 - 1;

/// A part of the record.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The events, in order, without a gap.
    pub envelopes: Vec<Envelope>,
    /// The session's last event, on this page or not.
    pub last_seq: Seq,
    /// The `after` of the next page. `None` at the end.
    pub next_after: Option<Seq>,
    /// Whether `after` is beyond the record, so that it comes from another one.
    pub cursor_ahead: bool,
}

impl EventPage {
    fn of(after: Seq, envelopes: Vec<Envelope>, last_seq: Seq) -> Self {
        let last = envelopes.last().and_then(|envelope| envelope.seq);
        Self {
            next_after: Some(last.unwrap_or(after)).filter(|reached| *reached < last_seq),
            cursor_ahead: after > last_seq,
            envelopes,
            last_seq,
        }
    }
}

/// Whether another element fits on a page. The first one always does.
pub(crate) fn fits_page(used: &mut usize, element: &impl serde::Serialize) -> bool {
    let first = *used == 0;
    *used += serde_json::to_string(element)
        .map_or(0, |json| json.len())
        .max(1);
    first || *used <= PAGE_BYTES
}

impl SessionManager {
    /// The events after `after`, at most `limit` (1 to 500) and at most 1 MiB of them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn events(
        &self,
        session: SessionId,
        actor: &Actor,
        after: Seq,
        limit: usize,
    ) -> Result<EventPage, ReadError> {
        let (state, (envelopes, seen)) = tokio::try_join!(
            self.state(session, actor),
            self.events_after(session, after, limit)
        )?;
        // The later of the two reads has the newer number.
        Ok(EventPage::of(after, envelopes, seen.max(state.last_seq)))
    }

    /// A page of events, and the last sequence number that was read, on the page or not.
    async fn events_after(
        &self,
        session: SessionId,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<Envelope>, Seq), ReadError> {
        let from = Seq(after.0.saturating_add(1));
        // At worst each entry has one event, and the entries before the first requested one have
        // none of the requested events.
        let entries = i32::try_from(limit + ENTRY_EVENTS - 1).unwrap_or(i32::MAX);
        let request = self.log(session, from, keys::LAST_SEQ).limit(entries);
        let mut pages = Self::pages(request, None);
        let (mut found, mut bytes, mut seen) = (Vec::new(), 0, Seq(0));
        while let Some(page) = pages.next().await? {
            for envelope in envelopes_between(session, page, from, keys::LAST_SEQ)? {
                seen = envelope.seq.unwrap_or(seen);
                if found.len() == limit || !fits_page(&mut bytes, &envelope) {
                    return Ok((found, seen));
                }
                found.push(envelope);
            }
        }
        Ok((found, seen))
    }

    /// All events from `from` to `to`, both included. The owner is not checked.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn record(
        &self,
        session: SessionId,
        from: Seq,
        to: Seq,
    ) -> Result<Vec<Envelope>, ReadError> {
        if to < from {
            return Ok(Vec::new());
        }
        let items = Self::pages(self.log(session, from, to), None).all().await?;
        envelopes_between(session, items, from, to)
    }

    /// A strongly consistent query of the entries with the events from `from` to `to`, in order.
    pub(crate) fn log(&self, session: SessionId, from: Seq, to: Seq) -> QueryFluentBuilder {
        let first = Seq(from.min(keys::LAST_SEQ).0.saturating_sub(REACH));
        self.query()
            .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
            .expression_attribute_values(":pk", text(keys::session(session)))
            .expression_attribute_values(":first", text(keys::entry(first)))
            .expression_attribute_values(":last", text(keys::entry(to.min(keys::LAST_SEQ))))
            .projection_expression("#sk, #last, #at, #events")
            .expression_attribute_names("#sk", LogEntry::EVENT_ATTRIBUTES[0])
            .expression_attribute_names("#last", LogEntry::EVENT_ATTRIBUTES[1])
            .expression_attribute_names("#at", LogEntry::EVENT_ATTRIBUTES[2])
            .expression_attribute_names("#events", LogEntry::EVENT_ATTRIBUTES[3])
            .consistent_read(true)
    }
}

/// The events of these entries from `from` to `to`, both included.
pub(crate) fn envelopes_between(
    session: SessionId,
    items: Vec<Item>,
    from: Seq,
    to: Seq,
) -> Result<Vec<Envelope>, ReadError> {
    let mut all = Vec::new();
    for item in items {
        all.extend(LogEntry::envelopes_of(session, item)?);
    }
    all.retain(|envelope| envelope.seq.is_some_and(|seq| from <= seq && seq <= to));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use session::{EventBody, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn envelope(seq: u64) -> Envelope {
        Envelope {
            timestamp: Timestamp::from_micros(0).unwrap(),
            run_id: None,
            session_id: SessionId::new(Uuid::from_u128(7)),
            seq: Some(Seq(seq)),
            body: EventBody::user("x").into(),
        }
    }

    #[test]
    fn a_page_has_a_next_after_when_more_events_exist() {
        for (after, held, last_seq, next, ahead) in [
            (0, 3, 3, None, false),
            (0, 3, 4, Some(3), false),
            // The events were read before the state.
            (3, 0, 5, Some(3), false),
            (5, 0, 5, None, false),
            (6, 0, 5, None, true),
        ] {
            let held = (after + 1..=after + held).map(envelope).collect();
            let page = EventPage::of(Seq(after), held, Seq(last_seq));
            assert_eq!(page.next_after, next.map(Seq), "after {after}");
            assert_eq!(page.cursor_ahead, ahead, "after {after}");
        }
    }
}
