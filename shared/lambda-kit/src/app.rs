//! The services of a client's handler, and the one way in which it changes a session.

use environment::EnvironmentError;
use schemars::JsonSchema;
use serde::Serialize;
use session::{Command, NewRun, RunStatus, SessionId, State, Timestamp};
use session_manager::{Actor, Committed, FoundRun, SessionManager};

use crate::{Authenticator, Aws, EdgeSettings, Outbox, Problem, Request, http};

/// Authentication and sessions.
#[derive(Debug, Clone)]
pub struct App {
    /// Identifies the caller.
    pub authenticator: Authenticator,
    /// All sessions.
    pub sessions: SessionManager,
}

/// The contract's answer to an action: `success`, `session_id`, `message`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Action {
    success: bool,
    session_id: SessionId,
    message: &'static str,
}

impl Action {
    /// An action that was done; `message` says what, in a sentence.
    pub const fn done(session_id: SessionId, message: &'static str) -> Self {
        Self {
            success: true,
            session_id,
            message,
        }
    }
}

impl App {
    /// From the configuration.
    ///
    /// # Errors
    /// When `TABLE_NAME` is missing.
    pub fn new(settings: &EdgeSettings, aws: &Aws) -> Result<Self, EnvironmentError> {
        Ok(Self {
            authenticator: Authenticator::new(settings),
            sessions: aws.sessions(settings)?,
        })
    }

    /// The caller.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub fn client(&self, request: &Request) -> Result<Actor, Problem> {
        Ok(Actor::Client(self.authenticator.caller(request)?.owner))
    }

    /// The caller, and the session of the path.
    ///
    /// # Errors
    /// `unauthenticated`, `session_not_found`.
    pub fn admit(&self, request: &Request) -> Result<(Actor, SessionId), Problem> {
        Ok((self.client(request)?, http::session_id(request)?))
    }

    /// The run of the path, which is found by its id alone.
    ///
    /// # Errors
    /// `unauthenticated`, `run_not_found`, `unavailable`.
    pub async fn admit_run(&self, request: &Request) -> Result<FoundRun, Problem> {
        let actor = self.client(request)?;
        let run = http::run_id(request)?;
        Ok(self.sessions.find_run(&actor, run).await?)
    }

    /// The run of the query, which must name one.
    ///
    /// # Errors
    /// `unauthenticated`, `invalid_query`, `run_not_found`, `unavailable`.
    pub async fn admit_run_of_query(&self, request: &Request) -> Result<FoundRun, Problem> {
        let actor = self.client(request)?;
        let run = http::Query::of(request).required("run_id", "the id of a run")?;
        Ok(self.sessions.find_run(&actor, run).await?)
    }

    /// Commits a command and publishes the commit.
    ///
    /// # Errors
    /// The refusal, or `unavailable`; the session does not change.
    pub async fn change(
        &self,
        outbox: &Outbox,
        actor: &Actor,
        session: SessionId,
        command: &Command,
        now: Timestamp,
    ) -> Result<Committed, Problem> {
        let state = self.sessions.state(session, actor).await?;
        self.change_on(outbox, state, command, now).await
    }

    /// Commits a command on a state that was read for the caller, and publishes the commit.
    ///
    /// # Errors
    /// The refusal, or `unavailable`; the session does not change.
    pub async fn change_on(
        &self,
        outbox: &Outbox,
        state: State,
        command: &Command,
        now: Timestamp,
    ) -> Result<Committed, Problem> {
        let committed = self.sessions.commit_on(state, command, now).await?;
        outbox.publish(&committed, now).await;
        Ok(committed)
    }

    /// A run that continues the session's failed run; `None` where no run has failed.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn takeover(&self, state: &State) -> Result<Option<NewRun>, Problem> {
        let failed = state
            .run
            .as_ref()
            .filter(|run| run.status == RunStatus::Failed);
        let Some(failed) = failed else {
            return Ok(None);
        };
        let row = self.sessions.run(state.session_id, failed.id).await?;
        Ok(row.map(|row| NewRun {
            id: session::RunId::new(uuid::Uuid::now_v7()),
            task: row.task_description,
            artifact: None,
            task_id: None,
            agent: row.agent,
            model: row.model,
        }))
    }
}
