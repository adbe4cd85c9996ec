//! An entry of the log: the events of one commit and the state after them.
//!
//! What is written is read back before. Where an entry cannot be read all the same, it blocks
//! nothing: the state is read without the events beside it, so that the session can be changed,
//! deleted and purged, and an event that cannot be read is shown as such at its place.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use session::{
    Change, CommitId, Envelope, Event, EventBody, RunId, Seq, SessionId, State, Timestamp,
};

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

#[derive(Debug, Serialize)]
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
    ttl: Option<i64>,
}

/// An entry without its events: what a change, a check and a purge need of the newest one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EntryHead {
    /// Its sort key.
    pub sk: String,
    pub commit: CommitId,
    pub state: State,
}

#[derive(Debug, Deserialize)]
struct HeadItem {
    #[serde(rename = "SK")]
    sk: String,
    commit: CommitId,
    state: String,
}

/// The attributes of an entry that a reader of events needs, beside the events themselves.
#[derive(Debug, Deserialize)]
struct EventsItem {
    #[serde(rename = "SK")]
    sk: String,
    last: Seq,
    at: Timestamp,
}

const EVENTS: &str = "events";

impl EntryHead {
    pub fn from_item(item: Item) -> Result<Self, Malformed> {
        let item: HeadItem = from_item("entry", item)?;
        Ok(Self {
            sk: item.sk,
            commit: item.commit,
            state: state(&item.state)?,
        })
    }
}

impl LogEntry {
    /// The attributes that [`LogEntry::envelopes_of`] reads.
    pub const EVENT_ATTRIBUTES: [&'static str; 4] = ["SK", "last", "at", EVENTS];

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

    /// Its item, whose texts were read back.
    pub fn to_item(&self) -> Result<Item, Malformed> {
        let json = |error| Malformed::new("entry", error);
        let events = serde_json::to_string(&self.events).map_err(json)?;
        parse(&events).map_err(json)?;
        let after = self.state.to_json().map_err(json)?;
        state(&after)?;
        let ttl = self.state.deleted_at.map(|at| at.plus(DELETED_ENTRY_TTL));
        to_item(
            "entry",
            LogEntryItem {
                pk: keys::session(self.state.session_id),
                sk: keys::entry(self.first()),
                last: self.state.last_seq,
                commit: self.commit,
                at: self.at,
                events,
                state: after,
                ttl: ttl.map(Timestamp::as_seconds),
            },
        )
    }

    /// Its events as clients get them.
    pub fn envelopes(&self) -> Vec<Envelope> {
        let (session, last) = (self.state.session_id, self.state.last_seq);
        envelopes(session, last, self.at, self.events.clone())
    }

    /// The events of an entry's item. The state is not parsed.
    pub fn envelopes_of(session: SessionId, mut item: Item) -> Result<Vec<Envelope>, Malformed> {
        let stored = item.remove(EVENTS);
        let item: EventsItem = from_item("entry", item)?;
        let text = stored.as_ref().and_then(|events| events.as_s().ok());
        let text = text.map_or("", String::as_str);
        let events = parse(text).unwrap_or_else(|error| {
            tracing::warn!(%session, entry = item.sk, %error, "events cannot be read");
            parse_each(text, keys::events_of(&item.sk, item.last))
        });
        Ok(envelopes(session, item.last, item.at, events))
    }
}

pub(crate) fn state(text: &str) -> Result<State, Malformed> {
    State::from_json(text).map_err(|error| Malformed::new("state", error))
}

fn parse(events: &str) -> serde_json::Result<Vec<Event>> {
    serde_json::from_str(events)
}

/// The events of an entry one by one, `count` in all: those that cannot be read are replaced.
fn parse_each(events: &str, count: usize) -> Vec<Event> {
    match serde_json::from_str::<Vec<&RawValue>>(events) {
        Ok(events) if events.len() == count => events.into_iter().map(parse_one).collect(),
        _ => vec![unreadable(EventHead::default()); count],
    }
}

fn parse_one(event: &RawValue) -> Event {
    let event = event.get();
    serde_json::from_str(event)
        .unwrap_or_else(|_| unreadable(serde_json::from_str(event).unwrap_or_default()))
}

/// What can be read of an event whose content cannot: other fields are skipped at any depth.
#[derive(Debug, Default, Deserialize)]
struct EventHead {
    #[serde(default)]
    run_id: Option<RunId>,
    #[serde(default)]
    event_type: Option<String>,
}

fn unreadable(head: EventHead) -> Event {
    Event {
        run_id: head.run_id,
        body: EventBody::Unreadable {
            original_type: head.event_type,
            message: "This event cannot be read.".into(),
        }
        .into(),
    }
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
    use aws_sdk_dynamodb::types::AttributeValue;
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

    fn entry_of(change: &Change) -> LogEntry {
        LogEntry::new(change, CommitId::new(Uuid::from_u128(9)), now())
    }

    fn deep_event(depth: usize) -> Event {
        let deep = (0..depth).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        Event {
            run_id: Some(RunId::new(Uuid::from_u128(8))),
            body: session::StoredEventBody::Unknown {
                event_type: "from_the_future".into(),
                data: deep,
            },
        }
    }

    #[test]
    fn it_round_trips_under_the_seq_of_its_first_event() {
        let entry = entry_of(&created());
        let item = entry.to_item().unwrap();
        assert_eq!(item["SK"].as_s().unwrap(), "LOG#000000000001");
        assert_eq!(item["last"].as_n().unwrap(), "1");
        assert!(
            !item.contains_key("ttl"),
            "a TTL would remove the log's first entries"
        );
        let head = EntryHead::from_item(item.clone()).unwrap();
        assert_eq!(head.sk, "LOG#000000000001");
        assert_eq!((head.commit, &head.state), (entry.commit, &entry.state));
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
        let entry = entry_of(&deleted);
        let item = entry.to_item().unwrap();
        let in_30_days = now().as_seconds() + 30 * 24 * 3600;
        assert_eq!(item["ttl"].as_n().unwrap(), &in_30_days.to_string());
        assert_eq!(EntryHead::from_item(item).unwrap().state, entry.state);
    }

    #[test]
    fn events_may_nest_deeper_than_dynamodb_allows() {
        let mut change = created();
        change.events[0] = deep_event(100);
        let entry = entry_of(&change);
        let item = entry.to_item().unwrap();
        let session = entry.state.session_id;
        let read = LogEntry::envelopes_of(session, item).unwrap();
        assert_eq!(read, entry.envelopes());
    }

    #[test]
    fn an_entry_that_could_not_be_read_again_has_no_item() {
        let mut change = created();
        change.events.push(deep_event(126));
        change.state.last_seq = change.state.last_seq.plus(1);
        assert!(entry_of(&change).to_item().is_err());
    }

    /// An entry of two events, whose attribute `events` is replaced.
    fn broken(events: AttributeValue) -> Item {
        let mut change = created();
        change.events.push(change.events[0].clone());
        change.state.last_seq = Seq(change.events.len() as u64);
        let mut item = entry_of(&change).to_item().unwrap();
        item.insert(EVENTS.into(), events);
        item
    }

    #[test]
    fn an_event_that_cannot_be_read_is_shown_at_its_place_beside_the_others() {
        let good = &created().events[0];
        let deep = serde_json::to_string(&[good, &deep_event(200)]).unwrap();
        let item = broken(AttributeValue::S(deep));
        let head = EntryHead::from_item(item.clone()).unwrap();
        assert_eq!(head.state.last_seq, Seq(2));
        let read = LogEntry::envelopes_of(head.state.session_id, item).unwrap();
        assert_eq!(read[0].body, good.body);
        assert_eq!(
            serde_json::to_value(&read[1]).unwrap(),
            serde_json::json!({
                "timestamp": now(), "session_id": head.state.session_id, "seq": 2,
                "run_id": Uuid::from_u128(8), "event_type": "unreadable",
                "data": {"original_type": "from_the_future", "message": "This event cannot be read."},
            })
        );
    }

    #[test]
    fn events_that_cannot_be_told_apart_are_all_shown_as_unreadable() {
        for events in [
            AttributeValue::S("[".into()),
            AttributeValue::S("{}".into()),
            AttributeValue::S("[7]".into()),
            AttributeValue::N("7".into()),
            AttributeValue::L(Vec::new()),
        ] {
            let item = broken(events);
            let session = EntryHead::from_item(item.clone()).unwrap().state.session_id;
            let read = LogEntry::envelopes_of(session, item).unwrap();
            let seqs: Vec<_> = read.iter().map(|envelope| envelope.seq).collect();
            assert_eq!(seqs, [Some(Seq(1)), Some(Seq(2))]);
            let unreadable = unreadable(EventHead::default());
            assert!(read.iter().all(|envelope| envelope.body == unreadable.body));
        }
    }

    #[test]
    fn an_item_of_another_kind_is_malformed() {
        let item = keys::key("SESSION#x", "LOG#1");
        let error = EntryHead::from_item(item).unwrap_err();
        assert_eq!(error.to_string(), "a stored entry cannot be read");
        assert!(std::error::Error::source(&error).is_some());
    }
}
