//! The items beside the log: runs, approvals, configurations, connections, request keys and slots.

use serde::{Deserialize, Serialize};
use session::{
    ApprovalId, ApprovalRow, ApprovalStatus, Mode, OwnerId, RunId, RunRow, RunStatus, Seq,
    SessionId, Timestamp,
};

use crate::error::Malformed;

/// A run's row. Its status is that of its start until it has ended; what it does meanwhile is in the state. Where its events
/// begin and end stands beside it, for whoever reads all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunItem {
    pub id: RunId,
    #[serde(default)]
    pub task_id: Option<String>,
    pub mode: Mode,
    pub agent: String,
    pub model: String,
    pub status: RunStatus,
    pub task_description: String,
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
    pub is_branch: bool,
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default)]
    pub resumed_from: Option<RunId>,
    /// JSON text.
    pub meta: String,
    #[serde(default)]
    pub first_seq: Option<Seq>,
    #[serde(default)]
    pub last_seq: Option<Seq>,
}

impl From<&RunRow> for RunItem {
    fn from(row: &RunRow) -> Self {
        let row = row.clone();
        Self {
            id: row.id,
            task_id: row.task_id,
            mode: row.mode,
            agent: row.agent,
            model: row.model,
            status: row.status,
            task_description: row.task_description,
            started_at: row.started_at,
            completed_at: row.completed_at,
            is_branch: row.is_branch,
            error: row.error,
            resumed_from: row.resumed_from,
            meta: row.meta.to_string(),
            first_seq: None,
            last_seq: None,
        }
    }
}

impl TryFrom<RunItem> for RunRow {
    type Error = Malformed;

    fn try_from(item: RunItem) -> Result<Self, Malformed> {
        Ok(Self {
            id: item.id,
            task_id: item.task_id,
            mode: item.mode,
            agent: item.agent,
            model: item.model,
            status: item.status,
            task_description: item.task_description,
            started_at: item.started_at,
            completed_at: item.completed_at,
            is_branch: item.is_branch,
            error: item.error,
            resumed_from: item.resumed_from,
            meta: serde_json::from_str(&item.meta).map_err(|error| Malformed::new("run", error))?,
        })
    }
}

/// An approval's row, as it was asked; its end is written into the same attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ApprovalItem {
    pub approval_id: ApprovalId,
    pub run_id: RunId,
    #[serde(default)]
    pub step_id: Option<String>,
    pub checkpoint_type: String,
    pub message: String,
    pub options: Vec<String>,
    /// JSON text.
    pub context: String,
    pub status: ApprovalStatus,
    #[serde(default)]
    pub resolution: Option<String>,
    #[serde(default)]
    pub feedback: Option<String>,
    /// JSON text.
    #[serde(default)]
    pub modifications: Option<String>,
    #[serde(default)]
    pub resolved_by: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    #[serde(default)]
    pub resolved_at: Option<Timestamp>,
}

impl From<&ApprovalRow> for ApprovalItem {
    fn from(row: &ApprovalRow) -> Self {
        let row = row.clone();
        Self {
            approval_id: row.approval_id,
            run_id: row.run_id,
            step_id: row.step_id,
            checkpoint_type: row.checkpoint_type,
            message: row.message,
            options: row.options,
            context: row.context.to_string(),
            status: row.status,
            resolution: row.resolution,
            feedback: row.feedback,
            modifications: row.modifications.map(|json| json.to_string()),
            resolved_by: row.resolved_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            resolved_at: row.resolved_at,
        }
    }
}

impl TryFrom<ApprovalItem> for ApprovalRow {
    type Error = Malformed;

    fn try_from(item: ApprovalItem) -> Result<Self, Malformed> {
        let json = |text: &str| {
            serde_json::from_str(text).map_err(|error| Malformed::new("approval", error))
        };
        Ok(Self {
            approval_id: item.approval_id,
            run_id: item.run_id,
            step_id: item.step_id,
            checkpoint_type: item.checkpoint_type,
            message: item.message,
            options: item.options,
            context: json(&item.context)?,
            status: item.status,
            resolution: item.resolution,
            feedback: item.feedback,
            modifications: item.modifications.as_deref().map(json).transpose()?,
            resolved_by: item.resolved_by,
            created_at: item.created_at,
            expires_at: item.expires_at,
            resolved_at: item.resolved_at,
        })
    }
}

/// A session's configuration as the client gave it, or a run's effective one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConfigItem {
    /// JSON text.
    pub config: String,
}

/// A connection of the WebSocket API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Whose it is.
    pub owner: OwnerId,
    /// The client's own id for the task that it is about.
    pub task_id: String,
    /// The session that it follows.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// The run that its frames mean when they name none.
    #[serde(default)]
    pub run_id: Option<RunId>,
    /// When it is over, in seconds since 1970.
    pub(crate) ttl: i64,
}

/// That a connection follows a session, for the fan-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FollowerItem {
    pub connection_id: String,
    pub ttl: i64,
}

/// A client's task id or `Idempotency-Key`, and what it led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestKeyItem {
    /// The digest of the request that it came with.
    pub request: String,
    /// The session that it led to.
    pub session_id: SessionId,
    /// The run that it led to.
    #[serde(default)]
    pub run_id: Option<RunId>,
    /// Absent as long as a task's run has not ended.
    #[serde(default)]
    pub(crate) ttl: Option<i64>,
}

impl RequestKeyItem {
    /// Whether it still counts; DynamoDB removes it days later.
    pub(crate) fn counts(&self, now: Timestamp) -> bool {
        self.ttl.is_none_or(|ttl| now.as_seconds() < ttl)
    }
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
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::items::{from_item, to_item};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + second * 1_000_000).unwrap()
    }

    fn round_trips<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
        let item = to_item("item", &value).unwrap();
        assert_eq!(from_item::<T>("item", item).unwrap(), value);
    }

    #[test]
    fn a_run_round_trips_with_whatever_its_meta_holds() {
        let row = RunRow {
            id: RunId::new(Uuid::from_u128(1)),
            task_id: Some("task".into()),
            mode: Mode::OneShot,
            agent: "researcher".into(),
            model: "m".into(),
            status: RunStatus::Failed,
            task_description: "t".into(),
            started_at: Some(at(1)),
            completed_at: Some(at(2)),
            is_branch: false,
            error: Some("e".into()),
            resumed_from: Some(RunId::new(Uuid::from_u128(2))),
            meta: json!({"a": [1, {"b": null}]}),
        };
        let item = RunItem::from(&row);
        round_trips(item.clone());
        assert_eq!(RunRow::try_from(item).unwrap(), row);
    }

    #[test]
    fn the_other_rows_round_trip() {
        let row = ApprovalRow {
            approval_id: ApprovalId::new(Uuid::from_u128(1)),
            run_id: RunId::new(Uuid::from_u128(2)),
            step_id: None,
            checkpoint_type: "after_step".into(),
            message: "Go on?".into(),
            options: vec!["continue".into()],
            context: json!({"deep": [[[]]]}),
            status: ApprovalStatus::Pending,
            resolution: None,
            feedback: None,
            modifications: Some(json!({"plan": []})),
            resolved_by: None,
            created_at: at(1),
            expires_at: at(2),
            resolved_at: None,
        };
        let item = ApprovalItem::from(&row);
        round_trips(item.clone());
        assert_eq!(ApprovalRow::try_from(item).unwrap(), row);
        round_trips(ConfigItem {
            config: r#"{"a":1}"#.into(),
        });
        round_trips(Connection {
            owner: OwnerId::of("issuer", "ada"),
            task_id: "task".into(),
            session_id: Some(SessionId::new(Uuid::from_u128(3))),
            run_id: None,
            ttl: 1,
        });
        round_trips(SlotItem { free_at: at(1) });
        round_trips(FollowerItem {
            connection_id: "c=".into(),
            ttl: 1,
        });
    }

    #[test]
    fn a_key_counts_until_its_ttl_and_for_ever_without_one() {
        let mut key = RequestKeyItem {
            request: "r".into(),
            session_id: SessionId::new(Uuid::from_u128(3)),
            run_id: None,
            ttl: None,
        };
        round_trips(key.clone());
        assert!(key.counts(at(10)));
        key.ttl = Some(at(10).as_seconds());
        assert!(key.counts(at(9)) && !key.counts(at(10)));
    }
}
