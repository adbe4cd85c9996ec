//! The summary: what a list shows of a session, and the index keys for lists and the sweeper.
//!
//! Name, mode and time of creation are written once. A commit writes the other attributes only
//! where they changed, because each changed index key costs two index writes.
//!
//! The step, the progress and the status of the last run are one attribute, `current_step`: the
//! projection of an index that exists cannot change. Older versions stored the step alone there.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use session::{Mode, Phase, Rules, RunStatus, SessionId, SessionStatus, State, Timestamp};

use crate::dynamo::item::{Item, number, text};
use crate::dynamo::keys;

/// What a list shows of a session. Its JSON is also the reply to a create request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(
    missing_docs,
    reason = "the fields are the contract's, documented there"
)]
#[serde(from = "SummaryItem")]
#[schemars(rename = "Summary", !from)]
pub struct SessionSummary {
    pub session_id: SessionId,
    pub name: String,
    pub mode: Mode,
    pub status: SessionStatus,
    pub current_phase: Phase,
    pub current_step: Option<u32>,
    /// The percentage of the plan's steps that are done, 100 after a success; null before the plan
    /// is complete and in runs without a plan. A list has it from the last write of the summary.
    #[schemars(range(max = 100))]
    pub progress: Option<u8>,
    /// The status of the newest run; null without a run.
    pub last_run_status: Option<RunStatus>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The attributes of the item that a list shows.
#[derive(Deserialize)]
struct SummaryItem {
    session_id: SessionId,
    name: String,
    mode: Mode,
    status: SessionStatus,
    current_phase: Phase,
    #[serde(default)]
    current_step: Option<StoredProgress>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum StoredProgress {
    StepAlone(u32),
    OfRun {
        step: Option<u32>,
        progress: Option<u8>,
        last_run_status: Option<RunStatus>,
    },
}

impl From<SummaryItem> for SessionSummary {
    fn from(item: SummaryItem) -> Self {
        let (current_step, progress, last_run_status) = match item.current_step {
            None => (None, None, None),
            Some(StoredProgress::StepAlone(step)) => (Some(step), None, None),
            Some(StoredProgress::OfRun {
                step,
                progress,
                last_run_status,
            }) => (step, progress, last_run_status),
        };
        Self {
            session_id: item.session_id,
            name: item.name,
            mode: item.mode,
            status: item.status,
            current_phase: item.current_phase,
            current_step,
            progress,
            last_run_status,
            created_at: item.created_at,
            updated_at: item.updated_at,
        }
    }
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
            progress: state.run.as_ref().and_then(session::Run::progress),
            last_run_status: state.run.as_ref().map(|run| run.status),
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }

    /// The complete item of a new session.
    pub(crate) fn to_item(&self, rules: &Rules, state: &State) -> Item {
        let mut item = keys::key(keys::session(self.session_id), keys::SUMMARY);
        let constant = [
            ("session_id", self.session_id.to_string()),
            (keys::NAME, self.name.clone()),
            ("mode", self.mode.id().to_owned()),
            ("created_at", self.created_at.to_string()),
            (keys::OWNER_MODE, keys::owner_mode(&state.owner, self.mode)),
        ];
        item.extend(constant.map(|(name, value)| (name.to_owned(), text(value))));
        let changing = changing_attributes(rules, state).into_iter();
        item.extend(
            changing
                .chain(run_progress(state))
                .map(|(name, value)| (name.to_owned(), value)),
        );
        item
    }
}

/// The attributes that a commit sets, and those that it removes.
///
/// Progress alone is no reason to write the summary. What is stored may be older than `before`, so
/// it is set with every change of what a list shows; the due time is not shown.
pub(crate) fn changes(
    rules: &Rules,
    before: &State,
    after: &State,
) -> (BTreeMap<&'static str, AttributeValue>, Vec<&'static str>) {
    let old = changing_attributes(rules, before);
    let mut set = changing_attributes(rules, after);
    let mut remove: Vec<_> = old.keys().copied().collect();
    remove.retain(|name| !set.contains_key(name));
    set.retain(|name, value| old.get(name) != Some(value));
    let shown = |state| SessionSummary {
        progress: None,
        ..SessionSummary::of(state, "")
    };
    if shown(before) != shown(after) {
        set.extend(run_progress(after));
    }
    (set, remove)
}

/// The step, the progress and the status of the last run.
fn run_progress(state: &State) -> Option<(&'static str, AttributeValue)> {
    let run = state.run.as_ref()?;
    let mut fields = HashMap::from([("last_run_status".into(), text(run.status.as_str()))]);
    let step = state.current_step.map(|step| number(step.into()));
    fields.extend(step.map(|step| ("step".into(), step)));
    let progress = run.progress().map(|percent| number(percent.into()));
    fields.extend(progress.map(|percent| ("progress".into(), percent)));
    Some(("current_step", AttributeValue::M(fields)))
}

/// The attributes that decide about a write, with their values for this state. An attribute that
/// is not in the map is absent from the item.
fn changing_attributes(rules: &Rules, state: &State) -> BTreeMap<&'static str, AttributeValue> {
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
    use session::{Command, NewRun, NewSession, OwnerId, Position, RunId, Stage};
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

    /// A session whose run is at a step of a plan of four.
    fn at_step(step: u32) -> State {
        let run = NewRun {
            id: RunId::new(Uuid::from_u128(2)),
            task: "t".into(),
            artifact: None,
            task_id: None,
            agent: "planner".into(),
            model: "m".into(),
        };
        let command = Command::StartRun(run);
        let mut state = Rules::default()
            .decide(&state(), &command, now())
            .unwrap()
            .state;
        state.phase = Phase::Control;
        state.current_step = Some(step);
        let run = state.run.as_mut().unwrap();
        run.status = RunStatus::Running;
        run.position = Position {
            stage: Stage::Step,
            step,
            steps: 4,
            ..Position::OPEN
        };
        state
    }

    fn changed(before: &State, after: &State) -> Vec<&'static str> {
        let (set, remove) = changes(&Rules::default(), before, after);
        set.into_keys().chain(remove).collect()
    }

    #[test]
    fn it_round_trips_and_has_the_keys_of_all_three_indexes() {
        let state = state();
        let summary = SessionSummary::of(&state, "a name");
        let item = summary.to_item(&Rules::default(), &state);
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
    fn it_holds_the_progress_of_the_last_run() {
        let state = at_step(2);
        let summary = SessionSummary::of(&state, "a name");
        let shown = (
            summary.current_step,
            summary.progress,
            summary.last_run_status,
        );
        assert_eq!(shown, (Some(2), Some(25), Some(RunStatus::Running)));
        let item = summary.to_item(&Rules::default(), &state);
        assert_eq!(
            from_item::<SessionSummary>("summary", item).unwrap(),
            summary
        );
    }

    #[test]
    fn a_summary_with_the_step_alone_or_none_has_no_progress() {
        let state = at_step(2);
        let item = SessionSummary::of(&state, "a name").to_item(&Rules::default(), &state);
        for (stored, step) in [(Some(number(2)), Some(2)), (None, None)] {
            let mut item = item.clone();
            item.remove("current_step");
            item.extend(stored.map(|step| ("current_step".to_owned(), step)));
            let summary = from_item::<SessionSummary>("summary", item).unwrap();
            assert_eq!(summary.current_step, step);
            assert_eq!((summary.progress, summary.last_run_status), (None, None));
        }
    }

    #[test]
    fn a_new_step_changes_no_index_key() {
        let (before, after) = (at_step(1), at_step(2));
        assert_eq!(changed(&before, &after), ["current_step"]);
    }

    #[test]
    fn progress_alone_and_a_new_due_time_leave_the_projected_attributes() {
        let before = at_step(2);
        let mut after = before.clone();
        after.run.as_mut().unwrap().position.stage = Stage::AfterStep;
        assert!(changed(&before, &after).is_empty());
        after.lease.until = Some(now());
        assert_eq!(changed(&before, &after), ["due"]);
    }

    #[test]
    fn a_change_of_the_shown_status_brings_the_progress_along() {
        let mut before = at_step(2);
        before.status = SessionStatus::Suspended;
        before.run.as_mut().unwrap().status = RunStatus::Paused;
        let cancel = Command::Cancel { run: None };
        let cancelled = Rules::default().decide(&before, &cancel, now()).unwrap();
        // The session stays suspended, and only the run's status tells a list about it.
        assert_eq!(changed(&before, &cancelled.state), ["current_step"]);
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
