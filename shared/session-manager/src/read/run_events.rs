//! The events of a run in order, page by page, all or filtered.
//!
//! A page reads a bounded part of the record, matching or not, so that it never reads all of a long
//! run. A cursor has the place in the record, and the node that the events before it named last.

use std::str::FromStr;

use session::{Envelope, RunId, Seq, digest};

use super::cursor::RunEventPosition;
use super::events::{envelopes_between, fits_page};
use super::run_event::RunEvent;
use crate::log::size::ENTRY_EVENTS;
use crate::{FoundRun, ReadError, SessionManager};

/// The number of queries of a page. Each reads at most 1 MiB.
const QUERIES: usize = 4;

/// The number of entries that one query of a filtered page reads.
const ENTRIES: usize = 500;

/// The longest name of a kind of event.
const MAX_KIND: usize = 64;

/// The name of a kind of event: 1 to 64 lower-case letters and `_`. Other versions know other
/// kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventKind(String);

/// Which events of a run are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunEventFilter {
    /// Only those of this kind.
    pub kind: Option<EventKind>,
    /// Only those of this node.
    pub node: Option<String>,
    /// Without bookkeeping.
    pub without_internal: bool,
}

/// A part of a run's events.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEventPage {
    /// The events, in the order of the record.
    pub events: Vec<RunEvent>,
    /// The cursor of the next page. `None` at the end of the run so far.
    pub next_cursor: Option<String>,
}

impl EventKind {
    /// The pattern of its name.
    pub const PATTERN: &str = "^[a-z_]{1,64}$";
}

impl FromStr for EventKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_name = |c: u8| c.is_ascii_lowercase() || c == b'_';
        let valid = (1..=MAX_KIND).contains(&text.len()) && text.bytes().all(is_name);
        valid.then(|| Self(text.to_owned())).ok_or(())
    }
}

impl RunEventFilter {
    fn wants(&self, event: &RunEvent) -> bool {
        self.kind
            .as_ref()
            .is_none_or(|kind| kind.0 == event.event_type)
            && self
                .node
                .as_ref()
                .is_none_or(|node| event.node_id.as_ref() == Some(node))
            && !(self.without_internal && event.is_internal())
    }

    fn wants_all(&self) -> bool {
        *self == Self::default()
    }

    /// Identifies run and filter in a cursor.
    fn digest(&self, run: RunId) -> String {
        let part = |text: Option<&String>| text.map_or(String::new(), |text| format!("={text}"));
        digest(&[
            &run.to_string(),
            &part(self.kind.as_ref().map(|kind| &kind.0)),
            &part(self.node.as_ref()),
            if self.without_internal {
                "outer"
            } else {
                "all"
            },
        ])
    }
}

impl FoundRun {
    /// The number of the run's events, so far.
    pub const fn event_count(&self) -> u64 {
        (self.last_seq.0 + 1).saturating_sub(self.first_seq.0)
    }

    /// Whether an event between the run's first and last one is the run's, or the session's alone.
    pub(crate) fn has_event(&self, envelope: &Envelope) -> bool {
        envelope.run_id.is_none_or(|run| run == self.row.id)
    }
}

impl SessionManager {
    /// Applies the run's first events, of at most `queries` pages of 1 MiB. Returns the first event
    /// that was not read, if there is one.
    pub(crate) async fn apply_first_events(
        &self,
        run: &FoundRun,
        queries: usize,
        mut apply: impl FnMut(Envelope),
    ) -> Result<Option<Seq>, ReadError> {
        let (session, from, to) = (run.session(), run.first_seq, run.last_seq);
        let mut pages = Self::pages(self.log(session, from, to), None);
        let mut next = from;
        for _ in 0..queries {
            let Some(page) = pages.next().await? else {
                return Ok(None);
            };
            for envelope in envelopes_between(session, page, from, to)? {
                next = envelope.seq.unwrap_or(next).plus(1);
                apply(envelope);
            }
        }
        Ok(Some(next).filter(|next| *next <= to))
    }

    /// The run's events that the filter wants, in order: at most `limit` (1 to 500), and at most
    /// 1 MiB of them. A page reads at most 4 MiB of the record, so a filtered page may have fewer
    /// than `limit`, even none, and still have a cursor.
    ///
    /// # Errors
    /// [`ReadError`]; `BadCursor` also for a cursor of another run or filter.
    pub async fn run_events(
        &self,
        run: &FoundRun,
        filter: &RunEventFilter,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<RunEventPage, ReadError> {
        let digest = filter.digest(run.row.id);
        let mut reached = match cursor {
            Some(cursor) => RunEventPosition::from_cursor(cursor, &digest)?,
            None => RunEventPosition::before(run.first_seq),
        };
        let (session, to) = (run.session(), run.last_seq);
        let from = reached.seq.plus(1).max(run.first_seq);
        let mut events = Vec::new();
        if to < from {
            return Ok(RunEventPage {
                events,
                next_cursor: None,
            });
        }
        let entries = if filter.wants_all() { limit } else { ENTRIES };
        let entries = i32::try_from(entries + ENTRY_EVENTS - 1).unwrap_or(i32::MAX);
        let mut pages = Self::pages(self.log(session, from, to).limit(entries), None);
        let (mut bytes, mut queries) = (0, 0);
        'full: while events.len() < limit
            && queries < QUERIES
            && let Some(page) = pages.next().await?
        {
            queries += 1;
            for envelope in envelopes_between(session, page, from, to)? {
                if !run.has_event(&envelope) {
                    continue;
                }
                let mut node = reached.node.clone();
                let event = RunEvent::of(&envelope, &mut node);
                if filter.wants(&event) {
                    if events.len() == limit || !fits_page(&mut bytes, &event) {
                        break 'full;
                    }
                    events.push(event);
                }
                let seq = envelope.seq.unwrap_or(reached.seq);
                reached = RunEventPosition { seq, node };
            }
        }
        let more = reached.seq < to;
        Ok(RunEventPage {
            next_cursor: more.then(|| reached.to_cursor(&digest)),
            events,
        })
    }
}

impl RunEventPosition {
    /// The position before the first event of a run.
    fn before(first: Seq) -> Self {
        Self {
            seq: Seq(first.0.saturating_sub(1)),
            node: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_name_of_a_kind_is_short_and_plain() {
        for good in ["agent_message", "x", &"a".repeat(64)] {
            assert!(good.parse::<EventKind>().is_ok(), "{good}");
        }
        for bad in ["", "Agent", "a b", "ä", "a1", &"a".repeat(65)] {
            assert!(bad.parse::<EventKind>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_tells_runs_and_filters_apart() {
        let run = RunId::new(Uuid::from_u128(1));
        let of = |kind: Option<&str>, node: Option<&str>, without_internal| RunEventFilter {
            kind: kind.map(|kind| kind.parse().unwrap()),
            node: node.map(str::to_owned),
            without_internal,
        };
        let all = [
            of(None, None, false),
            of(Some("output"), None, false),
            of(None, Some("output"), false),
            of(None, Some(""), false),
            of(None, None, true),
        ];
        let mut digests: Vec<_> = all.iter().map(|filter| filter.digest(run)).collect();
        digests.push(all[0].digest(RunId::new(Uuid::from_u128(2))));
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 6);
    }
}
