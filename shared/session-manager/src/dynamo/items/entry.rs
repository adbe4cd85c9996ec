//! An entry of the log: the events of one commit and the state after them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use session::{Change, CommitId, Envelope, Event, Seq, SessionId, State, Timestamp};

use crate::dynamo::item::{Item, Malformed, from_item, to_item};
use crate::dynamo::keys;

/// How long the last entry of a deleted session stays. While it stands, no log can begin under the
/// same id.
const DELETED_ENTRY_TTL: Duration = Duration::from_secs(30 * 24 * 3600);

/// One commit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogEntry {
    pub commit: CommitId,
    pub at: Timestamp,
    pub events: Vec<Event>,
    pub state: State,
}

#[derive(Debug, Serialize, Deserialize)]
struct LogEntryItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    last: Seq,
    commit: CommitId,
    at: Timestamp,
    events: String,
    state: String,
    #[serde(default)]
    ttl: Option<i64>,
}

/// The attributes of an entry that a reader of events needs.
#[derive(Debug, Deserialize)]
struct EventsItem {
    last: Seq,
    at: Timestamp,
    events: String,
}

impl LogEntry {
    /// The attributes that [`LogEntry::envelopes_of`] reads.
    pub const EVENT_ATTRIBUTES: [&'static str; 3] = ["last", "at", "events"];

    pub fn new(change: &Change, commit: CommitId, at: Timestamp) -> Self {
        Self {
            commit,
            at,
            events: change.events.clone(),
            state: change.state.clone(),
        }
    }

    /// The sequence number of its first event.
    pub fn first(&self) -> Seq {
        first(self.state.last_seq, &self.events)
    }

    pub fn to_item(&self) -> Result<Item, Malformed> {
        let json = |error| Malformed::new("entry", error);
        let ttl = self.state.deleted_at.map(|at| at.plus(DELETED_ENTRY_TTL));
        to_item(
            "entry",
            LogEntryItem {
                pk: keys::session(self.state.session_id),
                sk: keys::entry(self.first()),
                last: self.state.last_seq,
                commit: self.commit,
                at: self.at,
                events: serde_json::to_string(&self.events).map_err(json)?,
                state: self.state.to_json().map_err(json)?,
                ttl: ttl.map(Timestamp::as_seconds),
            },
        )
    }

    pub fn from_item(item: Item) -> Result<Self, Malformed> {
        let item: LogEntryItem = from_item("entry", item)?;
        Ok(Self {
            commit: item.commit,
            at: item.at,
            events: parse(&item.events)?,
            state: State::from_json(&item.state).map_err(|error| Malformed::new("state", error))?,
        })
    }

    /// Its events as clients get them.
    pub fn envelopes(&self) -> Vec<Envelope> {
        let (session, last) = (self.state.session_id, self.state.last_seq);
        envelopes(session, last, self.at, self.events.clone())
    }

    /// The events of an entry's item. The state is not parsed.
    pub fn envelopes_of(session: SessionId, item: Item) -> Result<Vec<Envelope>, Malformed> {
        let item: EventsItem = from_item("entry", item)?;
        let events = parse(&item.events)?;
        Ok(envelopes(session, item.last, item.at, events))
    }
}

fn parse(events: &str) -> Result<Vec<Event>, Malformed> {
    serde_json::from_str(events).map_err(|error| Malformed::new("list of events", error))
}

fn first(last: Seq, events: &[Event]) -> Seq {
    Seq((last.0 + 1).saturating_sub(events.len() as u64))
}

fn envelopes(
    session_id: SessionId,
    last: Seq,
    timestamp: Timestamp,
    events: Vec<Event>,
) -> Vec<Envelope> {
    let first = first(last, &events);
    (0..)
        .zip(events)
        .map(|(n, event)| Envelope {
            timestamp,
            run_id: event.run_id,
            session_id,
            seq: Some(first.plus(n)),
            body: event.body,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use session::{Command, Mode, NewSession, OwnerId, Rules};
    use uuid::Uuid;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_micros(1_790_000_000_123_456).unwrap()
    }

    fn created() -> Change {
        session::create(
            &NewSession {
                id: SessionId::new(Uuid::from_u128(7)),
                owner: OwnerId::of("issuer", "ada"),
                mode: Mode::OneShot,
                run: None,
            },
            now(),
        )
    }

    #[test]
    fn it_round_trips_under_the_seq_of_its_first_event() {
        let entry = LogEntry::new(&created(), CommitId::new(Uuid::from_u128(9)), now());
        let item = entry.to_item().unwrap();
        assert_eq!(item["SK"].as_s().unwrap(), "LOG#000000000001");
        assert_eq!(item["last"].as_n().unwrap(), "1");
        assert!(
            !item.contains_key("ttl"),
            "a TTL would remove the log's first entries"
        );
        assert_eq!(LogEntry::from_item(item.clone()).unwrap(), entry);
        let session = entry.state.session_id;
        assert_eq!(
            LogEntry::envelopes_of(session, item).unwrap(),
            entry.envelopes()
        );
    }

    #[test]
    fn only_the_last_entry_of_a_deleted_session_has_a_ttl() {
        let rules = Rules::default();
        let deleted = rules
            .decide(&created().state, &Command::Delete, now())
            .unwrap();
        let entry = LogEntry::new(&deleted, CommitId::new(Uuid::from_u128(9)), now());
        let item = entry.to_item().unwrap();
        let in_30_days = now().as_seconds() + 30 * 24 * 3600;
        assert_eq!(item["ttl"].as_n().unwrap(), &in_30_days.to_string());
        assert_eq!(LogEntry::from_item(item).unwrap(), entry);
    }

    #[test]
    fn events_may_nest_deeper_than_dynamodb_allows() {
        let deep = (0..100).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        let mut change = created();
        change.events[0] = serde_json::from_value(
            serde_json::json!({"event_type": "from_the_future", "data": deep}),
        )
        .unwrap();
        let entry = LogEntry::new(&change, CommitId::new(Uuid::from_u128(9)), now());
        let item = entry.to_item().unwrap();
        assert_eq!(LogEntry::from_item(item).unwrap(), entry);
    }

    #[test]
    fn an_item_of_another_kind_is_malformed() {
        let item = keys::key("SESSION#x", "LOG#1");
        let error = LogEntry::from_item(item).unwrap_err();
        assert_eq!(error.to_string(), "a stored entry cannot be read");
        assert!(std::error::Error::source(&error).is_some());
    }
}
