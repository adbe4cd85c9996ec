//! How a session is created and changed: the domain decides, `append` writes, and a lost race is decided again.

use session::{
    Command, Envelope, NewRun, NewSession, OwnerId, Refusal, RowChange, SessionId, State, Timestamp,
};

use crate::append::Base;
use crate::error::ChangeError;
use crate::write::{Extras, Write};
use crate::{RequestKey, SessionManager};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A client: somebody else's session does not exist for it.
    Client(OwnerId),
    /// The system itself: the executor, the sweeper, the dead letters' function.
    System,
}

impl Actor {
    /// Whether a session in this state exists for the one who asks.
    pub(crate) fn sees(&self, state: &State) -> bool {
        match self {
            Self::Client(owner) => *owner == state.owner && !state.is_deleted(),
            Self::System => true,
        }
    }
}

/// What stands after a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The state after this commit; others may have committed since.
    pub state: State,
    /// This commit's events, with place and time.
    pub envelopes: Vec<Envelope>,
    /// The rows that this commit wrote beside the log, as they were decided.
    pub row_changes: Vec<RowChange>,
}

/// What a new session has beside its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSessionRows {
    /// At most 255 characters.
    pub name: String,
    /// A JSON object of at most 64 KiB, as the client gave it.
    pub config: String,
    /// The first run's effective configuration, where it is another one.
    pub run_config: Option<String>,
}

impl SessionManager {
    /// Creates a session, with its first run if it has one.
    ///
    /// With a key, the same request twice makes one session: the second one gets the first one's record, unless its session
    /// was deleted. [`SessionManager::as_created`] is what the first one was told.
    ///
    /// # Errors
    /// [`ChangeError`], of which `KeyTaken` says what the key led to.
    pub async fn create(
        &self,
        new: &NewSession,
        rows: &NewSessionRows,
        key: Option<&RequestKey>,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        let change = session::create(new, now);
        let extras = Extras {
            birth: Some((&rows.name, &rows.config)),
            run_config: rows.run_config.as_deref(),
            key,
            ..Extras::default()
        };
        self.commit(Base::NewSession(change), extras, now).await
    }

    /// Starts a run. `run_config` is its effective configuration, where it is another than the session's.
    ///
    /// With a key, the same request twice starts one run; [`SessionManager::as_started`] is what the first one was told.
    ///
    /// # Errors
    /// [`ChangeError`], of which `KeyTaken` says what the key led to.
    pub async fn start_run(
        &self,
        session: SessionId,
        actor: &Actor,
        new: &NewRun,
        run_config: Option<&str>,
        key: Option<&RequestKey>,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        let state = self.state(session, actor).await?;
        let command = Command::StartRun(new.clone());
        let extras = Extras {
            run_config,
            key,
            ..Extras::default()
        };
        let started = self.commit(Base::On(state, &command), extras, now).await;
        // The run that stands in the way may be the one that this very request started a moment ago.
        let in_the_way = matches!(&started, Err(ChangeError::Refused(refusal, _)) if *refusal != Refusal::NoSuchSession);
        if let Some(key) = key.filter(|_| in_the_way)
            && let Some(record) = self.request_key(key, now).await?
            && record.session_id == session
        {
            return Err(ChangeError::KeyTaken(Box::new(record)));
        }
        started
    }

    /// Changes a session by any command. A run that takes over from a failed one inherits its configuration.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn change(
        &self,
        session: SessionId,
        actor: &Actor,
        command: &Command,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        let state = self.state(session, actor).await?;
        let inherited = self.inherited_config(&state, command).await?;
        let extras = Extras {
            run_config: inherited.as_deref(),
            ..Extras::default()
        };
        self.commit(Base::On(state, command), extras, now).await
    }

    /// Changes a session whose newest state the caller knows: one round trip. A caller that is wrong about it only loses the
    /// first try. There is no check of the owner; this is the executor's way.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn commit_on(
        &self,
        state: State,
        command: &Command,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        self.commit(Base::On(state, command), Extras::default(), now)
            .await
    }
}

impl Committed {
    pub(crate) fn of(write: Write) -> Self {
        Self {
            envelopes: write.entry.envelopes(),
            state: write.entry.state,
            row_changes: write.row_changes,
        }
    }
}
