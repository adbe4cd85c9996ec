//! The writes of one commit: its entry, and the items that change with it.
//!
//! An entry alone is a single put. Where the summary, a run, an approval or a request key changes
//! too, all of it is one transaction. The entry has the condition: the writer that appends it may
//! change the session's rows. A request key has its own condition, because two sessions can use the
//! same key; so has a task key, which may belong to another session by now.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use serde_json::Value;
use session::{
    ApprovalEnd, Change, CommitId, RowChange, Rules, RunEnd, RunRow, SessionId, State, Timestamp,
};

use super::size;
use crate::dynamo::item::{Item, Malformed, number, seq, text, to_item};
use crate::dynamo::items::{
    ConfigItem, LogEntry, RequestKeyItem, RunLocatorItem, SessionSummary, approval_item, changes,
    deleted_summary, modifications_text, run_item,
};
use crate::dynamo::keys;
use crate::dynamo::update::update_attributes;
use crate::error::ChangeError;
use crate::request_key::{KEY_TTL, RequestKey};

const EXPECTED: &str = "table, key, item and expression are set";

/// What is stored with a new session besides its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSessionRows {
    /// At most 255 characters.
    pub name: String,
    /// A JSON object of at most 64 KiB, as the client gave it.
    pub config: String,
    /// The first run's effective configuration, where it differs from the session's.
    pub run_config: Option<String>,
}

/// The parts of a commit that the domain does not decide.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CommitOptions<'a> {
    /// A new session's name and configuration.
    pub new_session: Option<&'a NewSessionRows>,
    /// The new run's effective configuration.
    pub run_config: Option<&'a str>,
    /// The client's request key.
    pub request_key: Option<&'a RequestKey>,
    /// A deleted session whose request key may be used again.
    pub deleted_session: Option<SessionId>,
    /// The ended run's task key does not exist, so it gets no expiry.
    pub skip_task_key: bool,
}

/// The kind of a write beside the entry: it decides what a failed condition means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// The client's request key.
    RequestKey,
    /// The task key of the run that ends.
    TaskKey,
    /// A row of the session, without a condition of its own.
    SessionRow,
}

/// All writes of one commit.
#[derive(Debug)]
pub(crate) struct CommitTransaction<'a> {
    table: &'a str,
    pub entry: LogEntry,
    pub entry_item: Item,
    pub row_changes: Vec<RowChange>,
    pub rows: Vec<(RowKind, TransactWriteItem)>,
}

impl<'a> CommitTransaction<'a> {
    /// The writes of `change`, which was decided on the state `before`.
    pub fn new(
        table: &'a str,
        rules: &Rules,
        before: Option<&State>,
        change: &Change,
        options: &CommitOptions<'_>,
        (commit, now): (CommitId, Timestamp),
    ) -> Result<Self, ChangeError> {
        let entry = LogEntry::new(change, commit, now);
        size::check_events(&entry)?;
        let mut transaction = Self {
            table,
            entry_item: entry.to_item().map_err(ChangeError::Unstorable)?,
            entry,
            row_changes: change.row_changes.clone(),
            rows: Vec::new(),
        };
        let rows = transaction.add_rows(rules, before, change, options);
        rows.map_err(ChangeError::Unstorable)?;
        let puts = transaction
            .rows
            .iter()
            .filter_map(|(_, row)| row.put.as_ref());
        let items = std::iter::once(&transaction.entry_item).chain(puts.map(|put| &put.item));
        size::check_items(items)?;
        Ok(transaction)
    }

    fn add_rows(
        &mut self,
        rules: &Rules,
        before: Option<&State>,
        change: &Change,
        options: &CommitOptions<'_>,
    ) -> Result<(), Malformed> {
        self.add_summary(rules, before, options)?;
        for change in &change.row_changes {
            self.add_row_change(change, options)?;
        }
        match options.request_key {
            Some(key) => self.add_request_key(key, options.deleted_session),
            None => Ok(()),
        }
    }

    /// The items of the transaction, the entry first.
    pub fn items(&self) -> Vec<TransactWriteItem> {
        let entry = Put::builder()
            .table_name(self.table)
            .set_item(Some(self.entry_item.clone()))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .expect(EXPECTED);
        let entry = TransactWriteItem::builder().put(entry).build();
        let rows = self.rows.iter().map(|(_, row)| row.clone());
        std::iter::once(entry).chain(rows).collect()
    }

    fn pk(&self) -> String {
        keys::session(self.entry.state.session_id)
    }

    /// Adds the put of a row of this session.
    fn put(&mut self, sk: String, item: Item) {
        self.put_under(keys::key(self.pk(), sk), item);
    }

    fn put_under(&mut self, key: Item, mut item: Item) {
        item.extend(key);
        let put = Put::builder()
            .table_name(self.table)
            .set_item(Some(item))
            .build()
            .expect(EXPECTED);
        let put = TransactWriteItem::builder().put(put).build();
        self.rows.push((RowKind::SessionRow, put));
    }

    fn update(&mut self, kind: RowKind, update: UpdateBuilder) {
        let update = update.table_name(self.table).build().expect(EXPECTED);
        let update = TransactWriteItem::builder().update(update).build();
        self.rows.push((kind, update));
    }

    fn add_summary(
        &mut self,
        rules: &Rules,
        before: Option<&State>,
        options: &CommitOptions<'_>,
    ) -> Result<(), Malformed> {
        let state = &self.entry.state;
        if let Some(new) = options.new_session {
            let item = SessionSummary::of(state, &new.name).to_item(rules, state);
            self.put(keys::SUMMARY.into(), item);
            return self.add_config(keys::CONFIG.into(), &new.config);
        }
        if state.is_deleted() {
            self.put(keys::SUMMARY.into(), deleted_summary(rules, state));
        } else if let Some(before) = before {
            let (set, remove) = changes(rules, before, state);
            if !(set.is_empty() && remove.is_empty()) {
                let key = keys::key(self.pk(), keys::SUMMARY);
                let update = update_attributes(key, set.into_iter().collect(), &remove);
                self.update(RowKind::SessionRow, update);
            }
        }
        Ok(())
    }

    fn add_config(&mut self, sk: String, config: &str) -> Result<(), Malformed> {
        serde_json::from_str::<Value>(config)
            .map_err(|error| Malformed::new("configuration", error))?;
        let config = config.to_owned();
        self.put(sk, to_item("configuration", ConfigItem { config })?);
        Ok(())
    }

    fn add_row_change(
        &mut self,
        change: &RowChange,
        options: &CommitOptions<'_>,
    ) -> Result<(), Malformed> {
        match change {
            RowChange::RunStarted(row) => self.add_run(row, options.run_config)?,
            RowChange::RunEnded(end) => self.end_run(end, options),
            RowChange::ApprovalAsked(row) => {
                self.put(keys::approval(row.approval_id), approval_item(row)?);
            }
            RowChange::ApprovalClosed(end) => self.close_approval(end)?,
        }
        Ok(())
    }

    /// Adds the run's row, the locator that finds it by its id alone, and its configuration. The
    /// locator is one item more per run: two write units in the transaction.
    fn add_run(&mut self, row: &RunRow, config: Option<&str>) -> Result<(), Malformed> {
        let first_seq = self.entry.state.run.as_ref().map(|run| run.first_seq);
        self.put(keys::run(row.id), run_item(row, first_seq)?);
        let locator = RunLocatorItem {
            session_id: self.entry.state.session_id,
        };
        let locator = to_item("run locator", locator)?;
        self.put_under(keys::run_locator(row.id), locator);
        if let Some(config) = config {
            self.add_config(keys::run_config(row.id), config)?;
        }
        Ok(())
    }

    fn end_run(&mut self, end: &RunEnd, options: &CommitOptions<'_>) {
        let mut set = vec![
            ("status", text(end.status.as_str())),
            ("completed_at", text(end.completed_at.to_string())),
            ("last_seq", seq(self.entry.state.last_seq)),
        ];
        if let Some(at) = end.started_at {
            set.push(("started_at", text(at.to_string())));
        }
        if let Some(error) = &end.error {
            set.push(("error", text(error)));
        }
        let key = keys::key(self.pk(), keys::run(end.id));
        self.update(RowKind::SessionRow, update_attributes(key, set, &[]));
        if let Some(task_key) = end.task_key.as_deref().filter(|_| !options.skip_task_key) {
            self.expire_task_key(task_key);
        }
    }

    /// Gives a task key its expiry, 24 hours after the end of its run. A key that another session
    /// has taken over since does not change.
    fn expire_task_key(&mut self, task_key: &str) {
        let state = &self.entry.state;
        let pk = RequestKey::task_pk(&state.owner, task_key);
        let ttl = number(self.entry.at.plus(KEY_TTL).as_seconds());
        let key = keys::key(pk, keys::META);
        let update = update_attributes(key, vec![(keys::TTL, ttl)], &[])
            .condition_expression("session_id = :session")
            .expression_attribute_values(":session", text(state.session_id.to_string()));
        self.update(RowKind::TaskKey, update);
    }

    fn close_approval(&mut self, end: &ApprovalEnd) -> Result<(), Malformed> {
        let mut set = vec![
            ("status", text(end.status.as_str())),
            ("resolved_at", text(end.at.to_string())),
        ];
        if let Some(answer) = &end.answer {
            set.push(("resolution", text(&answer.resolution)));
            set.push(("resolved_by", text(&answer.by)));
            if let Some(feedback) = &answer.feedback {
                set.push(("feedback", text(feedback)));
            }
            if let Some(json) = &answer.modifications {
                set.push(("modifications", text(modifications_text(json)?)));
            }
        }
        let key = keys::key(self.pk(), keys::approval(end.id));
        self.update(RowKind::SessionRow, update_attributes(key, set, &[]));
        Ok(())
    }

    /// Adds the client's request key with the session and run that it led to. The condition holds
    /// when the key was never used, has expired, or its session was deleted.
    fn add_request_key(
        &mut self,
        key: &RequestKey,
        deleted_session: Option<SessionId>,
    ) -> Result<(), Malformed> {
        let now = self.entry.at;
        let mut item = to_item("request key", self.request_key_item(key))?;
        item.extend(key.key());
        let free = "attribute_not_exists(PK) OR #ttl <= :now";
        let mut put = Put::builder()
            .table_name(self.table)
            .set_item(Some(item))
            .condition_expression(free)
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":now", number(now.as_seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(deleted) = deleted_session {
            put = put
                .condition_expression(format!("{free} OR session_id = :gone"))
                .expression_attribute_values(":gone", text(deleted.to_string()));
        }
        let put = put.build().expect(EXPECTED);
        let put = TransactWriteItem::builder().put(put).build();
        self.rows.push((RowKind::RequestKey, put));
        Ok(())
    }

    fn request_key_item(&self, key: &RequestKey) -> RequestKeyItem {
        let expires = self.entry.at.plus(KEY_TTL).as_seconds();
        RequestKeyItem {
            request: key.request().to_owned(),
            session_id: self.entry.state.session_id,
            run_id: self.row_changes.iter().find_map(|change| match change {
                RowChange::RunStarted(row) => Some(row.id),
                _ => None,
            }),
            ttl: key.expires_after_use().then_some(expires),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use session::{
        ApprovalAnswer, ApprovalId, ApprovalRequest, Command, EventBody, Mode, NewRun, NewSession,
        Next, OwnerId, Phase, Position, Progress, Role, RunId, Stage, StageStart, TaskId,
    };
    use uuid::Uuid;

    use super::*;
    use crate::item_size;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + second * 1_000_000).unwrap()
    }

    fn transaction(
        before: &State,
        command: &Command,
        options: &CommitOptions<'_>,
    ) -> CommitTransaction<'static> {
        let rules = Rules::default();
        let change = rules.decide(before, command, at(2)).unwrap();
        let commit = CommitId::new(Uuid::from_u128(9));
        CommitTransaction::new("t", &rules, Some(before), &change, options, (commit, at(2)))
            .unwrap()
    }

    fn kinds(transaction: &CommitTransaction<'_>) -> Vec<RowKind> {
        transaction.rows.iter().map(|(kind, _)| *kind).collect()
    }

    fn begin(step: u32, events: Vec<EventBody>) -> StageStart {
        StageStart {
            position: Position {
                stage: Stage::Step,
                step,
                steps: 9,
                begun: true,
                ..Position::OPEN
            },
            phase: Phase::Control,
            step: Some(step),
            events,
            history_from: None,
        }
    }

    /// A session with a task id whose run a worker is executing.
    fn running() -> State {
        let run = NewRun {
            id: RunId::new(Uuid::from_u128(2)),
            task: "t".into(),
            artifact: None,
            task_id: Some(TaskId {
                text: "mine".into(),
                digest: "digest".into(),
            }),
            agent: "planner".into(),
            model: "m".into(),
        };
        let new = NewSession {
            id: SessionId::new(Uuid::from_u128(1)),
            owner: OwnerId::of("issuer", "ada"),
            mode: Mode::PlanningControl,
            run: Some(run.clone()),
        };
        let lease = Command::TakeLease {
            run: run.id,
            until: at(100),
            at: Position::OPEN,
            opening: begin(1, vec![]),
        };
        let created = session::create(&new, at(0)).state;
        Rules::default()
            .decide(&created, &lease, at(1))
            .unwrap()
            .state
    }

    fn commit(state: &State, work: Vec<EventBody>, next: Next) -> Command {
        let run = state.run.as_ref().unwrap();
        Command::Commit {
            run: run.id,
            epoch: state.lease.epoch,
            progress: Progress {
                at: run.position,
                work,
                cost_usd: 0.0,
                tokens: 0,
                next,
            },
            yield_lease: false,
        }
    }

    /// A message of 500 bytes and three events; the last one begins a step.
    fn step_done(state: &State, next: u32) -> Command {
        let message = EventBody::AgentMessage {
            agent: "researcher".into(),
            role: Role::Assistant,
            message: "x".repeat(500),
            artifact: None,
            structured_output: None,
        };
        let done = EventBody::StepComplete {
            step_number: 1,
            goal: "g".into(),
            summary: "s".into(),
            execution_time: 1.0,
        };
        let start = EventBody::StepStart {
            step_number: next,
            goal: "g".into(),
        };
        let output = EventBody::Output {
            message: "o".into(),
        };
        commit(
            state,
            vec![message, output, done],
            Next::Advance(begin(next, vec![start])),
        )
    }

    fn units(item: &Item) -> usize {
        item_size(item).div_ceil(1024)
    }

    #[test]
    fn a_commit_that_changes_no_row_is_a_single_put_of_at_most_four_units() {
        let state = running();
        let transaction = transaction(&state, &step_done(&state, 1), &CommitOptions::default());
        assert!(transaction.rows.is_empty());
        assert!(
            units(&transaction.entry_item) <= 4,
            "{}",
            item_size(&transaction.entry_item)
        );
    }

    #[test]
    fn a_new_step_is_one_transaction_of_entry_and_summary_of_at_most_sixteen_units() {
        let state = running();
        let transaction = transaction(&state, &step_done(&state, 2), &CommitOptions::default());
        assert_eq!(kinds(&transaction), [RowKind::SessionRow]);
        let update = transaction.rows[0].1.update.as_ref().unwrap();
        assert_eq!(
            update.update_expression(),
            "SET #current_step = :current_step"
        );
        // A transaction counts twice. The summary is below 1 KB and in two indexes with the step.
        let summary = 1;
        assert!(2 * units(&transaction.entry_item) + 2 * summary + 2 * summary <= 16);
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let deep = |depth| (0..depth).fold(json!(1), |inner, _| json!({"a": inner}));
        let asking = |context: Value| {
            let request = ApprovalRequest {
                approval_id: ApprovalId::new(Uuid::from_u128(3)),
                step_id: None,
                action: "a".into(),
                checkpoint_type: "after_step".into(),
                description: "d".into(),
                message: "m".into(),
                options: vec!["continue".into()],
                context,
                expires_at: at(1_000),
            };
            commit(&running(), vec![], Next::Ask(Box::new(request)))
        };
        let state = running();
        let asked = transaction(&state, &asking(deep(32)), &CommitOptions::default());
        let waiting = asked.entry.state;
        let answer = |modifications| {
            Command::Answer(ApprovalAnswer {
                approval: ApprovalId::new(Uuid::from_u128(3)),
                resolution: "continue".into(),
                feedback: None,
                modifications: Some(modifications),
                by: "ada".into(),
            })
        };
        let written = |before: &State, command: &Command| {
            let rules = Rules::default();
            let change = rules.decide(before, command, at(2)).unwrap();
            let commit = (CommitId::new(Uuid::from_u128(9)), at(2));
            let options = CommitOptions::default();
            CommitTransaction::new("t", &rules, Some(before), &change, &options, commit).map(drop)
        };
        assert!(written(&waiting, &answer(deep(32))).is_ok());
        for refused in [
            written(&waiting, &answer(deep(125))),
            written(&state, &asking(deep(125))),
        ] {
            assert!(matches!(refused, Err(ChangeError::Unstorable(_))));
        }
    }

    #[test]
    fn the_end_of_a_run_updates_its_row_and_its_task_key_unless_the_key_is_missing() {
        let state = running();
        let result = EventBody::Output {
            message: "r".into(),
        };
        let done = commit(&state, vec![], Next::Complete(Box::new(result)));
        let with = transaction(&state, &done, &CommitOptions::default());
        assert_eq!(
            kinds(&with),
            [RowKind::SessionRow, RowKind::SessionRow, RowKind::TaskKey]
        );
        let without = CommitOptions {
            skip_task_key: true,
            ..CommitOptions::default()
        };
        let without = transaction(&state, &done, &without);
        assert_eq!(kinds(&without), [RowKind::SessionRow, RowKind::SessionRow]);
    }

    #[test]
    fn only_the_entry_and_the_task_key_have_a_condition() {
        let state = running();
        let transaction = transaction(
            &state,
            &Command::Cancel { run: None },
            &CommitOptions::default(),
        );
        let items = transaction.items();
        let entry = items[0].put.as_ref().unwrap();
        assert_eq!(
            entry.condition_expression(),
            Some("attribute_not_exists(PK)")
        );
        for (kind, row) in &transaction.rows {
            let update = row.update.as_ref().unwrap();
            let conditional = update.condition_expression().is_some();
            assert_eq!(conditional, *kind == RowKind::TaskKey);
        }
    }
}
