//! A session's runs, newest first.
//!
//! A run's row is written when the run starts and when it has ended. In between, its status comes
//! from the session's state.

use session::{RunId, RunRow, RunStatus, Seq, SessionId, State};

use super::cursor;
use super::events::fits_page;
use crate::dynamo::item::{Item, Malformed, text};
use crate::dynamo::items::{RunSpan, run_row};
use crate::dynamo::keys;
use crate::{Actor, ReadError, RequestKeyItem, SessionManager};

/// A page of the list of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPage {
    /// The number of runs of the session.
    pub total: u64,
    /// The runs, newest first.
    pub runs: Vec<RunRow>,
    /// The cursor of the next page. `None` at the end.
    pub next_cursor: Option<String>,
}

impl SessionManager {
    /// The session's runs, at most `limit` and at most 1 MiB of them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn runs(
        &self,
        session: SessionId,
        actor: &Actor,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<RunPage, ReadError> {
        let before = cursor.map(cursor::run_of).transpose()?;
        // The state is read before the rows, so that no row is older than the state.
        let state = self.state(session, actor).await?;
        let (mut runs, more) = self.run_rows(session, before, limit).await?;
        for row in &mut runs {
            overlay(row, &state);
        }
        let last = runs.last().filter(|_| more);
        Ok(RunPage {
            total: state.runs,
            next_cursor: last.map(|row| cursor::after_run(row.id)),
            runs,
        })
    }

    /// A run's row as it is stored: its status is `queued` until the run has ended. The owner is
    /// not checked.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn run(&self, session: SessionId, run: RunId) -> Result<Option<RunRow>, ReadError> {
        let item = self.run_item(session, run).await?;
        Ok(item.map(run_row).transpose()?)
    }

    /// The first event of a run, if its row has it. The owner is not checked.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn first_event(
        &self,
        session: SessionId,
        run: Option<RunId>,
    ) -> Result<Option<Seq>, ReadError> {
        let Some(run) = run else {
            return Ok(None);
        };
        let item = self.run_item(session, run).await?;
        let span = item.map(RunSpan::from_item).transpose()?;
        Ok(span.and_then(|span| span.first_seq))
    }

    pub(crate) async fn run_item(
        &self,
        session: SessionId,
        run: RunId,
    ) -> Result<Option<Item>, ReadError> {
        let key = keys::key(keys::session(session), keys::run(run));
        Ok(self.get(key).await?)
    }

    /// The run that a request key led to, as it was started. The owner is not checked.
    ///
    /// # Errors
    /// [`ReadError`]: `NoSuchSession` when it was deleted.
    pub async fn as_started(&self, used: &RequestKeyItem) -> Result<RunRow, ReadError> {
        let run = used
            .run_id
            .ok_or_else(|| Malformed::new("request key", "it led to no run"))?;
        let row = self.run(used.session_id, run).await?;
        Ok(RunRow {
            status: RunStatus::Queued,
            started_at: None,
            completed_at: None,
            error: None,
            ..row.ok_or(ReadError::NoSuchSession)?
        })
    }

    /// The rows before a run, and whether more rows follow.
    async fn run_rows(
        &self,
        session: SessionId,
        before: Option<RunId>,
        limit: usize,
    ) -> Result<(Vec<RunRow>, bool), ReadError> {
        let request = self
            .query()
            .key_condition_expression("PK = :pk AND begins_with(SK, :run)")
            .expression_attribute_values(":pk", text(keys::session(session)))
            .expression_attribute_values(":run", text(keys::RUN))
            .scan_index_forward(false)
            .limit(i32::try_from(limit + 1).unwrap_or(i32::MAX))
            .consistent_read(true);
        let start = before.map(|run| keys::key(keys::session(session), keys::run(run)));
        let mut pages = Self::pages(request, start);
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(page) = pages.next().await? {
            for item in page {
                let row = run_row(item)?;
                if rows.len() == limit || !fits_page(&mut bytes, &row) {
                    return Ok((rows, true));
                }
                rows.push(row);
            }
        }
        Ok((rows, false))
    }
}

/// Takes an unfinished run's status from the state. A row with its end is newer than the state.
pub(crate) fn overlay(row: &mut RunRow, state: &State) {
    let unfinished = state.unfinished_run().filter(|run| run.id == row.id);
    if let Some(run) = unfinished.filter(|_| row.completed_at.is_none()) {
        row.status = run.status;
        row.started_at = run.started_at;
    }
}

#[cfg(test)]
mod tests {
    use session::{Mode, NewRun, NewSession, OwnerId, RowChange, Timestamp};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_run_that_ended_after_the_state_was_read_is_shown_as_ended() {
        let now = Timestamp::from_micros(1_790_000_000_000_000).unwrap();
        let run = NewRun {
            id: RunId::new(Uuid::from_u128(2)),
            task: "t".into(),
            artifact: None,
            task_id: None,
            agent: "planner".into(),
            model: "m".into(),
        };
        let new = NewSession {
            id: SessionId::new(Uuid::from_u128(1)),
            owner: OwnerId::of("issuer", "ada"),
            mode: Mode::OneShot,
            run: Some(run),
        };
        let created = session::create(&new, now);
        let mut state = created.state;
        state.run.as_mut().unwrap().status = RunStatus::Running;
        let Some(RowChange::RunStarted(row)) = created.row_changes.into_iter().next() else {
            panic!("a run was started");
        };

        let mut runs = row.clone();
        overlay(&mut runs, &state);
        assert_eq!(runs.status, RunStatus::Running);

        let mut ended = RunRow {
            status: RunStatus::Completed,
            completed_at: Some(now),
            ..row
        };
        overlay(&mut ended, &state);
        assert_eq!(ended.status, RunStatus::Completed);
    }
}
