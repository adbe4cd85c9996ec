//! The rows of runs and approvals: the contract's own types, with their JSON values as text.

use serde::Deserialize;
use serde_json::Value;
use session::{ApprovalRow, RunRow, Seq};

use crate::dynamo::item::{self, Item, Malformed, from_item, to_item};

const RUN: &str = "run";
const APPROVAL: &str = "approval";

/// Where a run's events begin and end in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct RunSpan {
    pub first_seq: Option<Seq>,
    /// Absent until the run has ended.
    pub last_seq: Option<Seq>,
}

impl RunSpan {
    pub fn from_item(item: Item) -> Result<Self, Malformed> {
        from_item(RUN, item)
    }
}

/// A new run's item. Its status stays that of its start until the run has ended; the session's
/// state has the status in between.
pub(crate) fn run_item(row: &RunRow, first_seq: Option<Seq>) -> Result<Item, Malformed> {
    let stored = RunRow {
        meta: json_text(RUN, &row.meta)?,
        ..row.clone()
    };
    let mut item = to_item(RUN, stored)?;
    item.extend(first_seq.map(|first| ("first_seq".to_owned(), item::seq(first))));
    Ok(item)
}

pub(crate) fn run_row(item: Item) -> Result<RunRow, Malformed> {
    let row: RunRow = from_item(RUN, item)?;
    Ok(RunRow {
        meta: parsed(RUN, &row.meta)?,
        ..row
    })
}

/// An approval's item. Its end is written into the same attributes.
pub(crate) fn approval_item(row: &ApprovalRow) -> Result<Item, Malformed> {
    let modifications = row.modifications.as_ref();
    let stored = ApprovalRow {
        context: json_text(APPROVAL, &row.context)?,
        modifications: modifications
            .map(|json| json_text(APPROVAL, json))
            .transpose()?,
        ..row.clone()
    };
    to_item(APPROVAL, stored)
}

pub(crate) fn approval_row(item: Item) -> Result<ApprovalRow, Malformed> {
    let row: ApprovalRow = from_item(APPROVAL, item)?;
    let modifications = row.modifications.as_ref();
    Ok(ApprovalRow {
        context: parsed(APPROVAL, &row.context)?,
        modifications: modifications
            .map(|json| parsed(APPROVAL, json))
            .transpose()?,
        ..row
    })
}

/// An approval's modifications as its item has them.
pub(crate) fn modifications_text(value: &Value) -> Result<String, Malformed> {
    checked_text(APPROVAL, value)
}

fn json_text(what: &'static str, value: &Value) -> Result<Value, Malformed> {
    checked_text(what, value).map(Value::String)
}

/// A value's text, which was read back: what cannot be read again must not be stored.
fn checked_text(what: &'static str, value: &Value) -> Result<String, Malformed> {
    let text = value.to_string();
    serde_json::from_str::<Value>(&text).map_err(|error| Malformed::new(what, error))?;
    Ok(text)
}

fn parsed(what: &'static str, text: &Value) -> Result<Value, Malformed> {
    let text = text
        .as_str()
        .ok_or_else(|| Malformed::new(what, "an attribute is not JSON text"))?;
    serde_json::from_str(text).map_err(|error| Malformed::new(what, error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use session::{ApprovalId, ApprovalStatus, Mode, RunId, RunStatus, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + second * 1_000_000).unwrap()
    }

    fn names(item: &Item) -> Vec<&str> {
        let mut names: Vec<_> = item.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_run_round_trips_with_any_json_in_its_meta() {
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
        let item = run_item(&row, Some(Seq(3))).unwrap();
        assert_eq!(item["meta"].as_s().unwrap(), r#"{"a":[1,{"b":null}]}"#);
        let span = RunSpan {
            first_seq: Some(Seq(3)),
            last_seq: None,
        };
        assert_eq!(RunSpan::from_item(item.clone()).unwrap(), span);
        assert_eq!(
            names(&item),
            [
                "agent",
                "completed_at",
                "error",
                "first_seq",
                "id",
                "is_branch",
                "meta",
                "mode",
                "model",
                "resumed_from",
                "started_at",
                "status",
                "task_description",
                "task_id",
            ]
        );
        assert_eq!(run_row(item.clone()).unwrap(), row);
        let broken = Item::from([("meta".to_owned(), item::text("{"))]);
        assert!(run_row(item.into_iter().chain(broken).collect()).is_err());
    }

    #[test]
    fn an_approval_round_trips_with_any_json_in_its_context() {
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
        let item = approval_item(&row).unwrap();
        assert_eq!(item["context"].as_s().unwrap(), r#"{"deep":[[[]]]}"#);
        assert_eq!(item["modifications"].as_s().unwrap(), r#"{"plan":[]}"#);
        assert_eq!(
            names(&item),
            [
                "approval_id",
                "checkpoint_type",
                "context",
                "created_at",
                "expires_at",
                "message",
                "modifications",
                "options",
                "run_id",
                "status",
            ]
        );
        assert_eq!(approval_row(item).unwrap(), row);
    }
}
