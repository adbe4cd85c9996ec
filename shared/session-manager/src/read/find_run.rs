//! A run found by its id alone.
//!
//! The locator names the run's session. It is one strongly consistent read of one read unit, and
//! one round trip before the reads of the session. Runs that started before locators were written
//! have none: they are found through their session only.

use session::{RunId, RunRow, Seq, SessionId, State};
use uuid::Uuid;

use super::runs::overlay;
use crate::dynamo::item::{Item, from_item};
use crate::dynamo::items::{RunLocatorItem, RunSpan, run_row};
use crate::dynamo::keys;
use crate::{Actor, ReadError, SessionManager};

/// A run with its session, and where its events are.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundRun {
    /// The newest state of its session.
    pub state: State,
    /// The run as lists show it.
    pub row: RunRow,
    /// Its first event.
    pub first_seq: Seq,
    /// Its last event: so far, while the run has not ended.
    pub last_seq: Seq,
}

impl FoundRun {
    /// The run's session.
    pub const fn session(&self) -> SessionId {
        self.state.session_id
    }

    /// Whether the run has ended, so that no event follows [`FoundRun::last_seq`].
    pub const fn has_ended(&self) -> bool {
        self.row.status.is_final()
    }

    fn of(state: State, item: Item) -> Result<Self, ReadError> {
        let span = RunSpan::from_item(item.clone())?;
        let mut row = run_row(item)?;
        overlay(&mut row, &state);
        Ok(Self {
            row,
            first_seq: span.first_seq.unwrap_or(Seq(1)),
            last_seq: span.last_seq.unwrap_or(state.last_seq),
            state,
        })
    }
}

impl SessionManager {
    /// A run of a session that the actor may see, by its id alone.
    ///
    /// # Errors
    /// [`ReadError`]: `NoSuchRun` for an unknown run, and for one of a session that was deleted or
    /// has another owner.
    pub async fn find_run(&self, actor: &Actor, run: RunId) -> Result<FoundRun, ReadError> {
        let session = match self.get(keys::run_locator(run)).await? {
            Some(item) => from_item::<RunLocatorItem>("run locator", item)?.session_id,
            // No session has this id. It is read all the same, so that the time of the reply does
            // not reveal which runs exist.
            None => SessionId::new(Uuid::nil()),
        };
        let found = self.run_of_session(session, actor, run).await;
        found.map_err(|error| match error {
            ReadError::NoSuchSession => ReadError::NoSuchRun,
            error => error,
        })
    }

    /// A run of this session.
    ///
    /// # Errors
    /// [`ReadError`]: `NoSuchSession` before `NoSuchRun`.
    pub(crate) async fn run_of_session(
        &self,
        session: SessionId,
        actor: &Actor,
        run: RunId,
    ) -> Result<FoundRun, ReadError> {
        let (state, row) = tokio::join!(self.state(session, actor), self.run_item(session, run));
        let (state, row) = (state?, row?.ok_or(ReadError::NoSuchRun)?);
        let found = FoundRun::of(state, row)?;
        let current = found.state.unfinished_run();
        if found.has_ended() || current.is_some_and(|current| current.id == run) {
            return Ok(found);
        }
        // The run ended between the two reads: the row is read again, with its end.
        let row = self.run_item(session, run).await?;
        FoundRun::of(found.state, row.ok_or(ReadError::NoSuchRun)?)
    }
}
