//! Creating and changing sessions: the domain decides, `append` writes, and a commit that lost a
//! race is decided again.

use session::{Command, NewRun, NewSession, OwnerId, Refusal, SessionId, State, Timestamp};

use super::append::{CommitBase, Committed};
use super::transaction::{CommitOptions, NewSessionRows};
use crate::error::ChangeError;
use crate::{RequestKey, SessionManager};

/// Who reads or changes a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A client. For a client, sessions of other owners and deleted ones do not exist.
    Client(OwnerId),
    /// The system itself: the executor, the sweeper, the dead letters' function.
    System,
}

impl Actor {
    /// The client's owner.
    pub const fn owner(&self) -> Option<&OwnerId> {
        match self {
            Self::Client(owner) => Some(owner),
            Self::System => None,
        }
    }

    /// Whether a session in this state exists for the actor.
    pub(crate) fn can_see(&self, state: &State) -> bool {
        match self {
            Self::Client(owner) => *owner == state.owner && !state.is_deleted(),
            Self::System => true,
        }
    }
}

impl SessionManager {
    /// Creates a session, with its first run if it has one.
    ///
    /// With a key, two equal requests create one session: the second one fails with `KeyTaken`,
    /// unless the session was deleted. [`SessionManager::as_created`] gives the first reply again.
    ///
    /// # Errors
    /// [`ChangeError`]; `KeyTaken` has the session that the key led to.
    pub async fn create(
        &self,
        new: &NewSession,
        rows: &NewSessionRows,
        key: Option<&RequestKey>,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        let change = session::create(new, now);
        let options = CommitOptions {
            new_session: Some(rows),
            run_config: rows.run_config.as_deref(),
            request_key: key,
            ..CommitOptions::default()
        };
        self.commit(CommitBase::NewSession(change), options, now)
            .await
    }

    /// Starts a run on a state that the caller has read, without another read. A state that is not
    /// the newest one costs the first try. The caller has checked the owner, who never changes.
    /// `run_config` is the run's effective configuration, where it differs from the session's.
    ///
    /// With a key, two equal requests start one run: the second one fails with `KeyTaken`.
    /// [`SessionManager::as_started`] gives the first reply again.
    ///
    /// # Errors
    /// [`ChangeError`]; `KeyTaken` has the run that the key led to.
    pub async fn start_run(
        &self,
        state: State,
        new: &NewRun,
        run_config: Option<&str>,
        key: Option<&RequestKey>,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        let session = state.session_id;
        let command = Command::StartRun(new.clone());
        let options = CommitOptions {
            run_config,
            request_key: key,
            ..CommitOptions::default()
        };
        let base = CommitBase::Existing(state, &command);
        let started = self.commit(base, options, now).await;
        // The same request may have started the unfinished run that causes this refusal.
        let refused = matches!(&started, Err(ChangeError::Refused(refusal, _)) if *refusal != Refusal::NoSuchSession);
        if refused {
            self.check_unused(session, key, now).await?;
        }
        started
    }

    /// Admits a run that is about to start on this state: its key is new, the session takes it, and
    /// it has a place among its owner's live runs. Nothing else is written, so that a caller stores
    /// a file of the run only for a run that can start. Another commit may still be first.
    ///
    /// # Errors
    /// [`ChangeError`]; `KeyTaken` has the run that the key led to.
    pub async fn admit_run(
        &self,
        state: &State,
        new: &NewRun,
        key: Option<&RequestKey>,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        self.check_unused(state.session_id, key, now).await?;
        let decided = self
            .rules
            .decide(state, &Command::StartRun(new.clone()), now);
        let refused = |refusal| ChangeError::Refused(refusal, Some(Box::new(state.clone())));
        decided.map_err(refused)?;
        self.reserve_run(&state.owner, new.id, now).await
    }

    /// Fails with `KeyTaken` when the key has led to a run of the session.
    async fn check_unused(
        &self,
        session: SessionId,
        key: Option<&RequestKey>,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        if let Some(key) = key
            && let Some(used) = self.request_key(key, now).await?
            && used.session_id == session
        {
            return Err(ChangeError::KeyTaken(Box::new(used)));
        }
        Ok(())
    }

    /// Changes a session by a command: reads the newest state, then [`SessionManager::commit_on`].
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
        self.commit_on(state, command, now).await
    }

    /// Changes a session on a state that the caller has read, without another read. A state that is
    /// not the newest one costs the first try. The caller has checked the owner, who never changes.
    /// A run that takes over from a failed one inherits its configuration, which is one read. A run
    /// that is resumed takes a place among its owner's live runs.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn commit_on(
        &self,
        state: State,
        command: &Command,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        if matches!(command, Command::Resume { .. })
            && let Ok(change) = self.rules.decide(&state, command, now)
            && let Some(run) = change.state.unfinished_run()
        {
            self.reserve_run(&state.owner, run.id, now).await?;
        }
        let inherited = self.inherited_config(&state, command).await?;
        let options = CommitOptions {
            run_config: inherited.as_deref(),
            ..CommitOptions::default()
        };
        self.commit(CommitBase::Existing(state, command), options, now)
            .await
    }
}
