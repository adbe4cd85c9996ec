//! The items beside the log: configurations, connections, request keys, run locators and slots.

use serde::{Deserialize, Serialize};
use session::{OwnerId, RunId, Seq, SessionId, Timestamp};

use crate::replay::ReplayId;

/// A session's configuration as the client gave it, or a run's effective one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConfigItem {
    /// JSON text.
    pub config: String,
}

/// A connection of the WebSocket API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The owner of the token that opened it.
    pub owner: OwnerId,
    /// The client's own id for its task.
    pub task_id: String,
    /// The session that it follows.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// The run that its frames mean when they name none.
    #[serde(default)]
    pub run_id: Option<RunId>,
    /// When its store of repeated replays is full again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeats_full: Option<Timestamp>,
    /// When the connection ends, in seconds since 1970.
    pub(crate) ttl: i64,
}

/// A connection that follows a session, stored in the session's partition for the fan-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FollowerItem {
    pub connection_id: String,
    pub ttl: i64,
    /// The last event that a replay has sent.
    #[serde(default)]
    pub after: Option<Seq>,
    /// The replay that goes on.
    #[serde(default)]
    pub replay_id: Option<ReplayId>,
    /// When live events wait for it no longer, in seconds since 1970.
    #[serde(default)]
    pub replay_until: Option<i64>,
}

impl FollowerItem {
    /// Whether a replay has sent the event behind this one, or is at it.
    pub fn has_had(&self, after: Seq) -> bool {
        match self.after {
            Some(reached) => after < reached,
            None => self.replay_id.is_some(),
        }
    }

    /// Whether live events reach the connection.
    pub fn is_live(&self, now: Timestamp) -> bool {
        let now = now.as_seconds();
        now < self.ttl && self.replay_until.is_none_or(|until| until <= now)
    }
}

/// A client's task id or `Idempotency-Key`, and what it led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestKeyItem {
    /// The digest of the request that used the key.
    pub request: String,
    /// The session that it led to.
    pub session_id: SessionId,
    /// The run that it led to.
    #[serde(default)]
    pub run_id: Option<RunId>,
    /// When the key expires, in seconds since 1970. Absent until a task's run has ended.
    #[serde(default)]
    pub(crate) ttl: Option<i64>,
}

impl RequestKeyItem {
    /// Whether the key is still valid. DynamoDB removes an expired item days later.
    pub(crate) fn is_valid(&self, now: Timestamp) -> bool {
        self.ttl.is_none_or(|ttl| now.as_seconds() < ttl)
    }
}

/// Finds a run's session by the run's id alone. The owner is checked on the session's state, which
/// alone knows whether the session was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunLocatorItem {
    pub session_id: SessionId,
}

/// When the next request to a service may go out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SlotItem {
    pub free_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;
    use uuid::Uuid;

    use super::*;
    use crate::dynamo::item::{from_item, number, to_item};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + second * 1_000_000).unwrap()
    }

    fn round_trips<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
        let item = to_item("item", &value).unwrap();
        assert_eq!(from_item::<T>("item", item).unwrap(), value);
    }

    #[test]
    fn each_item_round_trips() {
        round_trips(ConfigItem {
            config: r#"{"a":1}"#.into(),
        });
        round_trips(Connection {
            owner: OwnerId::of("issuer", "ada"),
            task_id: "task".into(),
            session_id: Some(SessionId::new(Uuid::from_u128(3))),
            run_id: None,
            repeats_full: Some(at(1)),
            ttl: 1,
        });
        round_trips(RunLocatorItem {
            session_id: SessionId::new(Uuid::from_u128(3)),
        });
        round_trips(SlotItem { free_at: at(1) });
        round_trips(FollowerItem {
            connection_id: "c=".into(),
            ttl: 1,
            after: Some(Seq(7)),
            replay_id: Some(ReplayId::new(Uuid::from_u128(3))),
            replay_until: Some(1),
        });
    }

    #[test]
    fn live_events_wait_for_a_replay_until_its_time_is_up() {
        let stored = |until: Option<i64>| {
            let mut item = to_item(
                "item",
                serde_json::json!({"connection_id": "c=", "ttl": at(90).as_seconds()}),
            );
            let until =
                until.map(|until| ("replay_until".to_owned(), number(at(until).as_seconds())));
            item.as_mut().unwrap().extend(until);
            from_item::<FollowerItem>("item", item.unwrap()).unwrap()
        };
        assert!(stored(None).is_live(at(89)) && !stored(None).is_live(at(90)));
        assert!(!stored(Some(60)).is_live(at(59)) && stored(Some(60)).is_live(at(60)));
    }

    #[test]
    fn a_key_is_valid_until_its_ttl_and_forever_without_one() {
        let mut key = RequestKeyItem {
            request: "r".into(),
            session_id: SessionId::new(Uuid::from_u128(3)),
            run_id: None,
            ttl: None,
        };
        round_trips(key.clone());
        assert!(key.is_valid(at(10)));
        key.ttl = Some(at(10).as_seconds());
        assert!(key.is_valid(at(9)) && !key.is_valid(at(10)));
    }
}
