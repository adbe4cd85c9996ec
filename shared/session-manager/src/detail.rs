//! One session: its state, and all that its page shows.

use session::{
    Command, EventBody, Message, PlanStep, RunId, Seq, SessionId, State, StoredEventBody,
};

use crate::items::{ConfigItem, LogEntry, from_item};
use crate::{Actor, ReadError, SessionManager, SessionSummary, keys};

/// How many messages a session's page shows.
const MESSAGES: usize = 100;

/// All that a session's page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// Where it stands.
    pub state: State,
    /// Its name.
    pub name: String,
    /// Its configuration, as the client gave it: JSON text.
    pub config: String,
    /// Its newest 100 messages, in chronological order.
    pub messages: Vec<Message>,
    /// Its plan, where one stands.
    pub plan: Option<Vec<PlanStep>>,
    /// The error of its last run, where it failed.
    pub error: Option<String>,
}

impl SessionManager {
    /// Where a session stands.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn state(&self, session: SessionId, actor: &Actor) -> Result<State, ReadError> {
        self.newest(session)
            .await?
            .filter(|state| actor.sees(state))
            .ok_or(ReadError::NoSuchSession)
    }

    /// A session with all that its page shows.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn session(&self, session: SessionId, actor: &Actor) -> Result<Detail, ReadError> {
        let state = self.state(session, actor).await?;
        let (name, config, (messages, _), plan, error) = tokio::try_join!(
            self.name(session),
            self.config(session),
            self.messages(session, MESSAGES, state.last_seq.plus(1)),
            self.event(session, state.plan),
            self.event(session, state.error),
        )?;
        Ok(Detail {
            name,
            config,
            messages,
            plan: plan.and_then(|body| match body {
                EventBody::PlanningComplete { steps, .. } => Some(steps),
                _ => None,
            }),
            error: error.and_then(|body| match body {
                EventBody::WorkflowFailed { error, .. } => Some(error),
                _ => None,
            }),
            state,
        })
    }

    /// A session's own configuration: JSON text, as the client gave it. There is no check of the owner.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn config(&self, session: SessionId) -> Result<String, ReadError> {
        self.config_item(session, keys::CONFIG.into())
            .await?
            .ok_or(ReadError::NoSuchSession)
    }

    /// A run's effective configuration: its own where it has one, else the session's. There is no check of the owner.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn run_config(&self, session: SessionId, run: RunId) -> Result<String, ReadError> {
        let pk = keys::session(session);
        let own = keys::run_config(run);
        let wanted = [own.as_str(), keys::CONFIG].map(|sk| keys::key(&*pk, sk));
        let mut found = self.batch_get(wanted.into()).await?;
        // The run's own comes last.
        found.sort_by_key(|item| item.get(keys::SK).and_then(|sk| sk.as_s().ok()) == Some(&own));
        let item = found.pop().ok_or(ReadError::NoSuchSession)?;
        Ok(from_item::<ConfigItem>("configuration", item)?.config)
    }

    /// What a run inherits that takes over from a failed one.
    pub(crate) async fn inherited_config(
        &self,
        state: &State,
        command: &Command,
    ) -> Result<Option<String>, ReadError> {
        match (command, &state.run) {
            (
                Command::Resume {
                    takeover: Some(_), ..
                },
                Some(failed),
            ) => {
                self.config_item(state.session_id, keys::run_config(failed.id))
                    .await
            }
            _ => Ok(None),
        }
    }

    /// A session as it was when it was created. There is no check of the owner.
    ///
    /// # Errors
    /// [`ReadError`]: `NoSuchSession` where it is gone by now.
    pub async fn as_created(&self, session: SessionId) -> Result<SessionSummary, ReadError> {
        let key = keys::key(keys::session(session), keys::entry(Seq(1)));
        let first = async { self.get(key).await.map_err(ReadError::from) };
        let (name, first) = tokio::try_join!(self.name(session), first)?;
        let first = LogEntry::from_item(first.ok_or(ReadError::NoSuchSession)?)?;
        Ok(SessionSummary::of(&first.state, name))
    }

    async fn config_item(
        &self,
        session: SessionId,
        sk: String,
    ) -> Result<Option<String>, ReadError> {
        let Some(item) = self.get(keys::key(keys::session(session), sk)).await? else {
            return Ok(None);
        };
        Ok(Some(from_item::<ConfigItem>("configuration", item)?.config))
    }

    async fn name(&self, session: SessionId) -> Result<String, ReadError> {
        let key = keys::key(keys::session(session), keys::SUMMARY);
        let item = self.get(key).await?;
        match item.filter(|item| item.contains_key("name")) {
            Some(item) => Ok(from_item::<SessionSummary>("summary", item)?.name),
            // Deleted between this read and the one before.
            None => Err(ReadError::NoSuchSession),
        }
    }

    /// The event at a place, if it is of a kind that we know.
    async fn event(
        &self,
        session: SessionId,
        seq: Option<Seq>,
    ) -> Result<Option<EventBody>, ReadError> {
        let Some(seq) = seq else {
            return Ok(None);
        };
        // Backwards from its place the first entry is the one that holds it.
        let request = self
            .log(session, seq, seq)
            .scan_index_forward(false)
            .limit(1);
        let page = Self::pages(request, None).next().await?.unwrap_or_default();
        let found = crate::events::recorded(session, page, seq, seq)?.pop();
        Ok(found.and_then(|envelope| match envelope.body {
            StoredEventBody::Known(body) => Some(body),
            StoredEventBody::Unknown { .. } => None,
        }))
    }
}
