//! The rows beside the log, drawn up for one commit's transaction.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use session::{ApprovalEnd, RowChange, Rules, RunEnd, RunRow, State, Timestamp};

use crate::error::Malformed;
use crate::items::{
    ApprovalItem, ConfigItem, Item, RequestKeyItem, RunItem, SessionSummary, moving, number, place,
    text, to_item, tombstone,
};
use crate::keys;
use crate::request_key::{KEY_TTL, RequestKey};
use crate::update::moved;
use crate::write::{Extras, Part};

const EXPECTED: &str = "table, key, item and expression are set";

/// Collects the rows of one commit, with the state after it.
pub(crate) struct Rows<'a> {
    table: &'a str,
    state: &'a State,
    now: Timestamp,
    rows: Vec<(Part, TransactWriteItem)>,
}

impl<'a> Rows<'a> {
    pub const fn new(table: &'a str, state: &'a State, now: Timestamp) -> Self {
        Self {
            table,
            state,
            now,
            rows: Vec::new(),
        }
    }

    pub fn into_inner(self) -> Vec<(Part, TransactWriteItem)> {
        self.rows
    }
}

impl Rows<'_> {
    fn pk(&self) -> String {
        keys::session(self.state.session_id)
    }

    fn put(&mut self, item: Item) {
        let put = Put::builder()
            .table_name(self.table)
            .set_item(Some(item))
            .build()
            .expect(EXPECTED);
        self.rows
            .push((Part::Row, TransactWriteItem::builder().put(put).build()));
    }

    /// Puts a row of this session.
    fn put_row(&mut self, sk: String, mut item: Item) {
        item.extend(keys::key(self.pk(), sk));
        self.put(item);
    }

    fn update(&mut self, part: Part, update: UpdateBuilder) {
        let update = update.table_name(self.table).build().expect(EXPECTED);
        self.rows
            .push((part, TransactWriteItem::builder().update(update).build()));
    }

    pub fn summary(
        &mut self,
        rules: &Rules,
        before: Option<&State>,
        extras: &Extras<'_>,
    ) -> Result<(), Malformed> {
        let state = self.state;
        if let Some((name, config)) = extras.birth {
            self.put(SessionSummary::of(state, name).to_item(rules, state)?);
            self.config(keys::CONFIG.into(), config)?;
        } else if state.is_deleted() {
            self.put(tombstone(rules, state));
        } else if let Some(before) = before {
            let (before, after) = (moving(rules, before), moving(rules, state));
            let set: Vec<_> = after
                .iter()
                .filter(|(name, value)| before.get(*name) != Some(value))
                .map(|(name, value)| (*name, value.clone()))
                .collect();
            let remove: Vec<_> = before
                .keys()
                .filter(|name| !after.contains_key(*name))
                .copied()
                .collect();
            if !(set.is_empty() && remove.is_empty()) {
                let key = keys::key(self.pk(), keys::SUMMARY);
                self.update(Part::Row, moved(key, set, &remove));
            }
        }
        Ok(())
    }

    fn config(&mut self, sk: String, config: &str) -> Result<(), Malformed> {
        let config = config.to_owned();
        self.put_row(sk, to_item("configuration", ConfigItem { config })?);
        Ok(())
    }

    pub fn record(&mut self, record: &RowChange, extras: &Extras<'_>) -> Result<(), Malformed> {
        match record {
            RowChange::RunStarted(row) => self.run_started(row, extras)?,
            RowChange::RunEnded(end) => self.run_ended(end, extras),
            RowChange::ApprovalAsked(row) => {
                let item = to_item("approval", ApprovalItem::from(row))?;
                self.put_row(keys::approval(row.approval_id), item);
            }
            RowChange::ApprovalClosed(end) => self.approval_closed(end),
        }
        Ok(())
    }

    fn run_started(&mut self, row: &RunRow, extras: &Extras<'_>) -> Result<(), Malformed> {
        let item = RunItem {
            first_seq: self.state.run.as_ref().map(|run| run.first_seq),
            ..RunItem::from(row)
        };
        self.put_row(keys::run(row.id), to_item("run", item)?);
        if let Some(config) = extras.run_config {
            self.config(keys::run_config(row.id), config)?;
        }
        Ok(())
    }

    fn run_ended(&mut self, end: &RunEnd, extras: &Extras<'_>) {
        let mut set = vec![
            ("status", text(end.status.as_str())),
            ("completed_at", text(end.completed_at.to_string())),
            ("last_seq", place(self.state.last_seq)),
        ];
        if let Some(at) = end.started_at {
            set.push(("started_at", text(at.to_string())));
        }
        if let Some(error) = &end.error {
            set.push(("error", text(error)));
        }
        let key = keys::key(self.pk(), keys::run(end.id));
        self.update(Part::Row, moved(key, set, &[]));
        if let Some(task_key) = end.task_key.as_deref().filter(|_| !extras.without_task_key) {
            self.forget_task(task_key);
        }
    }

    /// A task id is remembered for a day after its run; a key that is not this session's any more is let alone.
    fn forget_task(&mut self, task_key: &str) {
        let pk = RequestKey::task_pk(&self.state.owner, task_key);
        let ttl = number(self.now.plus(KEY_TTL).as_seconds());
        let update = moved(keys::key(pk, keys::META), vec![(keys::TTL, ttl)], &[])
            .condition_expression("session_id = :session")
            .expression_attribute_values(":session", text(self.state.session_id.to_string()));
        self.update(Part::TaskKey, update);
    }

    fn approval_closed(&mut self, end: &ApprovalEnd) {
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
                set.push(("modifications", text(json.to_string())));
            }
        }
        let key = keys::key(self.pk(), keys::approval(end.id));
        self.update(Part::Row, moved(key, set, &[]));
    }

    /// The client's key, with what it led to; free if it was never used, its time is over, or its session is gone.
    pub fn key(
        &mut self,
        key: &RequestKey,
        extras: &Extras<'_>,
        records: &[RowChange],
    ) -> Result<(), Malformed> {
        let mut item = to_item("request key", self.key_record(key, records))?;
        item.extend(key.key());
        let free = "attribute_not_exists(PK) OR #ttl <= :now";
        let mut put = Put::builder()
            .table_name(self.table)
            .set_item(Some(item))
            .condition_expression(free)
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":now", number(self.now.as_seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(gone) = extras.gone {
            put = put
                .condition_expression(format!("{free} OR session_id = :gone"))
                .expression_attribute_values(":gone", text(gone.to_string()));
        }
        let put = put.build().expect(EXPECTED);
        self.rows
            .push((Part::Key, TransactWriteItem::builder().put(put).build()));
        Ok(())
    }

    fn key_record(&self, key: &RequestKey, records: &[RowChange]) -> RequestKeyItem {
        let run = records.iter().find_map(|record| match record {
            RowChange::RunStarted(row) => Some(row),
            _ => None,
        });
        let ends = self.now.plus(KEY_TTL).as_seconds();
        RequestKeyItem {
            request: key.request().to_owned(),
            session_id: self.state.session_id,
            run_id: run.map(|row| row.id),
            ttl: key.ends_by_itself().then_some(ends),
        }
    }
}
