//! What one commit writes: its entry, and the rows that change with it.
//!
//! The log alone is one put. Where the summary, a run, an approval or a request key changes too, all of it is one transaction,
//! with every condition on the entry alone: whoever appends it has the right to the rows. A request key has its own condition,
//! because it is the only thing that two sessions can both want.

use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use session::{Change, CommitId, RowChange, Rules, SessionId, State, Timestamp};

use crate::error::ChangeError;
use crate::items::{Item, LogEntry};
use crate::request_key::RequestKey;
use crate::rows::Rows;
use crate::size;

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
    pub entry: LogEntry,
    pub row_changes: Vec<RowChange>,
    pub entry_item: Item,
    pub rows: Vec<(Part, TransactWriteItem)>,
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
        let entry = LogEntry::new(change, commit, now);
        size::check_events(&entry)?;
        let mut rows = Rows::new(table, &change.state, now);
        rows.summary(rules, before, extras)?;
        for record in &change.row_changes {
            rows.record(record, extras)?;
        }
        if let Some(key) = extras.key {
            rows.key(key, extras, &change.row_changes)?;
        }
        let rows = rows.into_inner();
        let entry_item = entry.to_item()?;
        let puts = rows.iter().filter_map(|(_, row)| row.put.as_ref());
        size::check_items(std::iter::once(&entry_item).chain(puts.map(|put| &put.item)))?;
        Ok(Self {
            entry,
            row_changes: change.row_changes.clone(),
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

#[cfg(test)]
mod tests {
    use session::{
        Command, EventBody, Mode, NewRun, NewSession, Next, OwnerId, Phase, Position, Progress,
        Role, RunId, Stage, StageStart, TaskId,
    };
    use uuid::Uuid;

    use super::*;
    use crate::item_size;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + second * 1_000_000).unwrap()
    }

    fn write(before: &State, command: &Command, extras: &Extras<'_>) -> Write {
        let rules = Rules::default();
        let change = rules.decide(before, command, at(2)).unwrap();
        let commit = CommitId::new(Uuid::from_u128(9));
        Write::new("t", &rules, Some(before), &change, extras, (commit, at(2))).unwrap()
    }

    fn parts(write: &Write) -> Vec<Part> {
        write.rows.iter().map(|(part, _)| *part).collect()
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

    /// A session at whose run a worker is, with a task id.
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

    /// A message of 500 bytes and three events, of which the last begins a step.
    fn step_done(state: &State, next: u32) -> Command {
        let message = EventBody::AgentMessage {
            agent: "researcher".into(),
            role: Role::Assistant,
            message: "x".repeat(500),
            artifact: None,
            made: None,
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
    fn a_commit_that_shows_in_no_list_is_the_log_alone_and_at_most_four_units() {
        let state = running();
        let write = write(&state, &step_done(&state, 1), &Extras::default());
        assert!(write.rows.is_empty());
        assert!(
            units(&write.entry_item) <= 4,
            "{}",
            item_size(&write.entry_item)
        );
    }

    #[test]
    fn a_new_step_is_one_transaction_with_the_summary_and_at_most_sixteen_units() {
        let state = running();
        let write = write(&state, &step_done(&state, 2), &Extras::default());
        assert_eq!(parts(&write), [Part::Row]);
        let update = write.rows[0].1.update.as_ref().unwrap();
        assert_eq!(
            update.update_expression(),
            "SET #current_step = :current_step"
        );
        // Twice for the transaction; the summary, below 1 KB, stands in two indexes that show the step.
        let summary = 1;
        assert!(2 * units(&write.entry_item) + 2 * summary + 2 * summary <= 16);
    }

    #[test]
    fn the_end_of_a_run_ends_its_row_and_its_task_key_unless_that_is_gone() {
        let state = running();
        let result = EventBody::Output {
            message: "r".into(),
        };
        let done = commit(&state, vec![], Next::Complete(Box::new(result)));
        let with = write(&state, &done, &Extras::default());
        assert_eq!(parts(&with), [Part::Row, Part::Row, Part::TaskKey]);
        let without = Extras {
            without_task_key: true,
            ..Extras::default()
        };
        let without = write(&state, &done, &without);
        assert_eq!(parts(&without), [Part::Row, Part::Row]);
    }

    #[test]
    fn every_condition_is_on_the_entry_alone() {
        let state = running();
        let write = write(&state, &Command::Cancel { run: None }, &Extras::default());
        let transaction = write.transaction("t");
        let entry = transaction[0].put.as_ref().unwrap();
        assert_eq!(
            entry.condition_expression(),
            Some("attribute_not_exists(PK)")
        );
        for (part, row) in &write.rows {
            let update = row.update.as_ref().unwrap();
            let conditional = update.condition_expression().is_some();
            assert_eq!(conditional, *part == Part::TaskKey);
        }
    }
}
