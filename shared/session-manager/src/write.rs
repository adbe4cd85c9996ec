//! What one commit writes: its entry, and the rows that change with it.
//!
//! The log alone is one put. Where the summary, a run, an approval or a request key changes too, all of it is one transaction,
//! with every condition on the entry alone: whoever appends it has the right to the rows. A request key has its own condition,
//! because it is the only thing that two sessions can both want.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use session::{
    ApprovalEnd, Change, CommitId, Record, Rules, RunEnd, RunId, RunRow, SessionId, State,
    Timestamp,
};

use crate::error::{ChangeError, Malformed};
use crate::items::{
    ApprovalItem, ConfigItem, Entry, Item, KeyRecord, RunItem, Summary, moving, number, text,
    to_item, tombstone,
};
use crate::request_key::{KEY_TTL, RequestKey};
use crate::update::moved;
use crate::{keys, size};

const EXPECTED: &str = "table, key, item and expression are set";

/// What a commit brings along that the domain does not know of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extras<'a> {
    /// A new session's name and configuration.
    pub birth: Option<(&'a str, &'a str)>,
    /// The new run's effective configuration.
    pub run_config: Option<&'a str>,
    /// The client's key.
    pub key: Option<&'a RequestKey>,
    /// A session that the key may point to, because it is gone.
    pub gone: Option<SessionId>,
    /// The task key of the run that ends is gone, so that it cannot be given its end.
    pub without_task_key: bool,
}

/// What a part of a transaction is for: how its refusal is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The client's key.
    Key,
    /// The task key of the run that ends.
    TaskKey,
    /// A row whose only condition is the entry's.
    Row,
}

/// All that one commit writes.
#[derive(Debug)]
pub(crate) struct Write {
    pub entry: Entry,
    pub records: Vec<Record>,
    pub entry_item: Item,
    pub rows: Vec<(Part, TransactWriteItem)>,
}

/// Collects the rows of one commit.
struct Rows<'a> {
    table: &'a str,
    state: &'a State,
    now: Timestamp,
    rows: Vec<(Part, TransactWriteItem)>,
}

impl Write {
    /// Draws up what `change` writes, with `before` being the state that it was decided on.
    pub fn new(
        table: &str,
        rules: &Rules,
        before: Option<&State>,
        change: &Change,
        extras: &Extras<'_>,
        (commit, now): (CommitId, Timestamp),
    ) -> Result<Self, ChangeError> {
        let entry = Entry::new(change, commit, now);
        size::check_events(&entry)?;
        let mut rows = Rows {
            table,
            state: &change.state,
            now,
            rows: Vec::new(),
        };
        rows.summary(rules, before, extras)?;
        for record in &change.records {
            rows.record(record, extras)?;
        }
        if let Some(key) = extras.key {
            rows.key(key, extras, &change.records)?;
        }
        let rows = rows.rows;
        let entry_item = entry.to_item()?;
        let puts = rows.iter().filter_map(|(_, row)| row.put.as_ref());
        size::check_items(std::iter::once(&entry_item).chain(puts.map(|put| &put.item)))?;
        Ok(Self {
            entry,
            records: change.records.clone(),
            entry_item,
            rows,
        })
    }

    /// The transaction, with the entry in front.
    pub fn transaction(&self, table: &str) -> Vec<TransactWriteItem> {
        let entry = Put::builder()
            .table_name(table)
            .set_item(Some(self.entry_item.clone()))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .expect(EXPECTED);
        let entry = TransactWriteItem::builder().put(entry).build();
        let rows = self.rows.iter().map(|(_, row)| row.clone());
        std::iter::once(entry).chain(rows).collect()
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

    fn summary(
        &mut self,
        rules: &Rules,
        before: Option<&State>,
        extras: &Extras<'_>,
    ) -> Result<(), Malformed> {
        let state = self.state;
        if let Some((name, config)) = extras.birth {
            self.put(Summary::of(state, name).to_item(rules, state)?);
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

    fn record(&mut self, record: &Record, extras: &Extras<'_>) -> Result<(), Malformed> {
        match record {
            Record::RunStarted(row) => self.run_started(row, extras)?,
            Record::RunEnded(end) => self.run_ended(end, extras),
            Record::ApprovalAsked(row) => {
                let item = to_item("approval", ApprovalItem::from(row))?;
                self.put_row(keys::approval(row.approval_id), item);
            }
            Record::ApprovalClosed(end) => self.approval_closed(end),
        }
        Ok(())
    }

    fn run_started(&mut self, row: &RunRow, extras: &Extras<'_>) -> Result<(), Malformed> {
        self.put_row(keys::run(row.id), to_item("run", RunItem::from(row))?);
        if let Some(config) = extras.run_config {
            self.config(keys::run_config(row.id), config)?;
        }
        Ok(())
    }

    fn run_ended(&mut self, end: &RunEnd, extras: &Extras<'_>) {
        let mut set = vec![
            ("status", text(end.status.as_str())),
            ("completed_at", text(end.completed_at.to_string())),
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

    fn key(
        &mut self,
        key: &RequestKey,
        extras: &Extras<'_>,
        records: &[Record],
    ) -> Result<(), Malformed> {
        let run = records.iter().find_map(|record| match record {
            Record::RunStarted(row) => Some(row),
            _ => None,
        });
        let answer = match (key.is_answered(), extras.birth, run) {
            (false, ..) => None,
            (true, Some((name, _)), _) => Some(json("summary", &Summary::of(self.state, name))?),
            (true, None, run) => run.map(|row| json("run", row)).transpose()?,
        };
        let record = KeyRecord {
            request: key.request().to_owned(),
            session_id: self.state.session_id,
            run_id: run.map(|row: &RunRow| -> RunId { row.id }),
            answer,
            ttl: key
                .is_answered()
                .then(|| self.now.plus(KEY_TTL).as_seconds()),
        };
        let mut item = to_item("request key", record)?;
        item.extend(key.key());
        let mut put = Put::builder()
            .table_name(self.table)
            .set_item(Some(item))
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":now", number(self.now.as_seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let free = "attribute_not_exists(PK) OR #ttl <= :now";
        put = match extras.gone {
            None => put.condition_expression(free),
            Some(gone) => put
                .condition_expression(format!("{free} OR session_id = :gone"))
                .expression_attribute_values(":gone", text(gone.to_string())),
        };
        let put = put.build().expect(EXPECTED);
        self.rows
            .push((Part::Key, TransactWriteItem::builder().put(put).build()));
        Ok(())
    }
}

fn json(what: &'static str, value: &impl serde::Serialize) -> Result<String, Malformed> {
    serde_json::to_string(value).map_err(|error| Malformed::new(what, error))
}
