//! A session's runs, newest first.
//!
//! A run's row is written when it begins and when it has ended; where it stands between is in the session's state, and is laid
//! over the row.

use session::{RunId, RunRow, SessionId, State};

use crate::items::{RunItem, from_item, text};
use crate::{Actor, ReadError, SessionManager, cursor, keys};

/// A part of the list of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPage {
    /// How many runs the session has.
    pub total: u64,
    /// The runs, newest first.
    pub runs: Vec<RunRow>,
    /// Where the next part begins; none at the end.
    pub next_cursor: Option<String>,
}

impl SessionManager {
    /// The session's runs, at most `limit`.
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
        let before = cursor.map(cursor::run_before).transpose()?;
        let (state, mut runs) = tokio::try_join!(
            self.state(session, actor),
            self.run_rows(session, before, limit + 1)
        )?;
        let more = runs.len() > limit;
        runs.truncate(limit);
        for row in &mut runs {
            overlay(row, &state);
        }
        let last = runs.last().filter(|_| more);
        Ok(RunPage {
            total: state.runs,
            next_cursor: last.map(|row| cursor::behind_run(row.id)),
            runs,
        })
    }

    /// A run's row as it is stored: until the run has ended it says `queued`. There is no check of the owner.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn run(&self, session: SessionId, run: RunId) -> Result<Option<RunRow>, ReadError> {
        let key = keys::key(keys::session(session), keys::run(run));
        match self.get(key).await? {
            Some(item) => Ok(Some(from_item::<RunItem>("run", item)?.try_into()?)),
            None => Ok(None),
        }
    }

    async fn run_rows(
        &self,
        session: SessionId,
        before: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunRow>, ReadError> {
        let request = self
            .query()
            .key_condition_expression("PK = :pk AND begins_with(SK, :run)")
            .expression_attribute_values(":pk", text(keys::session(session)))
            .expression_attribute_values(":run", text(keys::RUN))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .consistent_read(true);
        let start = before.map(|run| keys::key(keys::session(session), keys::run(run)));
        let mut pages = Self::pages(request, start);
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await? {
            for item in page {
                rows.push(from_item::<RunItem>("run", item)?.try_into()?);
            }
            if rows.len() >= limit {
                break;
            }
        }
        Ok(rows)
    }
}

/// The state knows better where an unfinished run stands.
fn overlay(row: &mut RunRow, state: &State) {
    if let Some(run) = state.unfinished_run().filter(|run| run.id == row.id) {
        row.status = run.status;
        row.started_at = run.started_at;
    }
}
