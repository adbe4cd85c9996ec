//! The summary: what a list shows of a session, and the index keys for lists and the sweeper.
//!
//! Name, mode and time of creation are written once. A commit writes the other attributes only
//! where they changed, because each changed index key costs two index writes.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use session::{Mode, Phase, Rules, SessionId, SessionStatus, State, Timestamp};

use crate::dynamo::item::{Item, Malformed, number, text, to_item};
use crate::dynamo::keys;

/// What a list shows of a session. Its JSON is also the reply to a create request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(
    missing_docs,
    reason = "the fields are the contract's, documented there"
)]
#[schemars(rename = "Summary")]
pub struct SessionSummary {
    pub session_id: SessionId,
    pub name: String,
    pub mode: Mode,
    pub status: SessionStatus,
    pub current_phase: Phase,
    #[serde(default)]
    pub current_step: Option<u32>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl SessionSummary {
    /// The summary of a session in this state. The name is not part of the state.
    pub fn of(state: &State, name: impl Into<String>) -> Self {
        Self {
            session_id: state.session_id,
            name: name.into(),
            mode: state.mode,
            status: state.status,
            current_phase: state.phase,
            current_step: state.current_step,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }

    /// The complete item of a new session.
    pub(crate) fn to_item(&self, rules: &Rules, state: &State) -> Result<Item, Malformed> {
        let mut item = to_item("summary", self)?;
        item.extend(keys::key(keys::session(self.session_id), keys::SUMMARY));
        let owner_mode = text(keys::owner_mode(&state.owner, self.mode));
        item.insert(keys::OWNER_MODE.into(), owner_mode);
        for (name, value) in changing_attributes(rules, state) {
            item.insert(name.into(), value);
        }
        Ok(item)
    }
}

/// The attributes that commits change, with their values for this state. An attribute that is not
/// in the map is absent from the item.
pub(crate) fn changing_attributes(
    rules: &Rules,
    state: &State,
) -> BTreeMap<&'static str, AttributeValue> {
    let (id, at) = (state.session_id, state.updated_at);
    let mut attributes = BTreeMap::from([
        ("status", text(state.status.as_str())),
        ("current_phase", text(state.phase.as_str())),
        ("updated_at", text(at.to_string())),
        (
            keys::OWNER_STATUS,
            text(keys::owner_status(&state.owner, state.status)),
        ),
        (keys::UPDATED_KEY, text(keys::updated(at, id))),
        (
            keys::STATUS_UPDATED_KEY,
            text(keys::status_updated(state.status, at, id)),
        ),
    ]);
    if let Some(step) = state.current_step {
        attributes.insert("current_step", number(step.into()));
    }
    attributes.extend(due(rules, state));
    attributes
}

/// The summary of a deleted session: its key and its due time alone. The sweeper finds it, and no
/// list does.
pub(crate) fn deleted_summary(rules: &Rules, state: &State) -> Item {
    let mut item = keys::key(keys::session(state.session_id), keys::SUMMARY);
    item.extend(due(rules, state).map(|(name, value)| (name.to_owned(), value)));
    item
}

fn due(rules: &Rules, state: &State) -> impl Iterator<Item = (&'static str, AttributeValue)> {
    let shard = keys::due_shard_of(state.session_id);
    rules.due(state).into_iter().flat_map(move |at| {
        [
            (keys::DUE, text(at.to_string())),
            (keys::DUE_SHARD, text(&*shard)),
        ]
    })
}

#[cfg(test)]
mod tests {
    use session::{Command, NewSession, OwnerId};
    use uuid::Uuid;

    use super::*;
    use crate::dynamo::item::from_item;

    fn now() -> Timestamp {
        Timestamp::from_micros(1_790_000_000_123_456).unwrap()
    }

    fn state() -> State {
        let new = NewSession {
            id: SessionId::new(Uuid::from_u128(7)),
            owner: OwnerId::of("issuer", "ada"),
            mode: Mode::PlanningControl,
            run: None,
        };
        session::create(&new, now()).state
    }

    #[test]
    fn it_round_trips_and_has_the_keys_of_all_three_indexes() {
        let state = state();
        let summary = SessionSummary::of(&state, "a name");
        let item = summary.to_item(&Rules::default(), &state).unwrap();
        let owner = &state.owner;
        let id = "00000000-0000-0000-0000-000000000007";
        let at = "2026-09-21T14:13:20.123456Z";
        for (name, value) in [
            ("owner_status", format!("{owner}#active")),
            ("updated_key", format!("{at}#{id}")),
            ("owner_mode", format!("{owner}#planning-control")),
            ("status_updated_key", format!("active#{at}#{id}")),
            ("due_shard", "DUE#7".into()),
            ("due", "2026-09-22T14:13:20.123456Z".into()),
        ] {
            assert_eq!(item[name].as_s().unwrap(), &value, "{name}");
        }
        assert_eq!(
            from_item::<SessionSummary>("summary", item).unwrap(),
            summary
        );
    }

    #[test]
    fn a_new_step_changes_no_index_key() {
        let before = state();
        let mut after = before.clone();
        after.phase = Phase::Control;
        after.current_step = Some(2);
        let rules = Rules::default();
        let (before, after) = (
            changing_attributes(&rules, &before),
            changing_attributes(&rules, &after),
        );
        let changed: Vec<_> = after
            .iter()
            .filter(|(name, value)| before.get(*name) != Some(value))
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(changed, ["current_phase", "current_step"]);
    }

    #[test]
    fn the_summary_of_a_deleted_session_keeps_only_its_due_time() {
        let rules = Rules::default();
        let deleted = rules.decide(&state(), &Command::Delete, now()).unwrap();
        let item = deleted_summary(&rules, &deleted.state);
        let mut names: Vec<_> = item.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["PK", "SK", "due", "due_shard"]);
        assert_eq!(item["due"].as_s().unwrap(), "2026-09-21T14:33:20.123456Z");
    }
}
