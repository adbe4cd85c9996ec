//! One session: its state and its details.

use session::{
    Command, EventBody, Message, PlanStep, RunId, Seq, SessionId, State, StoredEventBody,
};

use super::events::envelopes_between;
use super::history::behind_newest;
use crate::dynamo::item::from_item;
use crate::dynamo::items::{ConfigItem, EntryHead};
use crate::dynamo::keys;
use crate::{Actor, ReadError, SessionManager, SessionSummary};

/// The number of messages in a session's details.
const MESSAGES: usize = 100;

/// The details of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// Its newest state.
    pub state: State,
    /// Its name.
    pub name: String,
    /// Its configuration, as the client gave it: JSON text.
    pub config: String,
    /// Its newest 100 messages, in chronological order.
    pub messages: Vec<Message>,
    /// Its plan, where it has one.
    pub plan: Option<Vec<PlanStep>>,
    /// The error of its last run, where it failed.
    pub error: Option<String>,
}

impl SessionManager {
    /// The newest state of a session.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn state(&self, session: SessionId, actor: &Actor) -> Result<State, ReadError> {
        self.newest(session)
            .await?
            .filter(|state| actor.can_see(state))
            .ok_or(ReadError::NoSuchSession)
    }

    /// A session's details.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn session(&self, session: SessionId, actor: &Actor) -> Result<Detail, ReadError> {
        let state = self.state(session, actor).await?;
        let (name, config, (messages, _), plan, error) = tokio::try_join!(
            self.name(session),
            self.config(session),
            self.messages(session, MESSAGES, behind_newest(&state)),
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

    /// A session's own configuration: JSON text, as the client gave it. The owner is not checked.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn config(&self, session: SessionId) -> Result<String, ReadError> {
        self.config_item(session, keys::CONFIG.into())
            .await?
            .ok_or(ReadError::NoSuchSession)
    }

    /// A run's effective configuration: its own where it has one, else the session's. The owner is
    /// not checked.
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

    /// The configuration that a run inherits when it takes over from a failed one.
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

    /// The summary of a session as it was created. The owner is not checked.
    ///
    /// # Errors
    /// [`ReadError`]: `NoSuchSession` when it was deleted.
    pub async fn as_created(&self, session: SessionId) -> Result<SessionSummary, ReadError> {
        let key = keys::key(keys::session(session), keys::entry(Seq(1)));
        let first = async { self.get(key).await.map_err(ReadError::from) };
        let (name, first) = tokio::try_join!(self.name(session), first)?;
        let first = EntryHead::from_item(first.ok_or(ReadError::NoSuchSession)?)?;
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

    pub(crate) async fn name(&self, session: SessionId) -> Result<String, ReadError> {
        let key = keys::key(keys::session(session), keys::SUMMARY);
        let item = self.get(key).await?;
        match item.filter(|item| item.contains_key(keys::NAME)) {
            Some(item) => Ok(from_item::<SessionSummary>("summary", item)?.name),
            // It was deleted after its state was read.
            None => Err(ReadError::NoSuchSession),
        }
    }

    /// The event with this sequence number, if its kind is known.
    async fn event(
        &self,
        session: SessionId,
        seq: Option<Seq>,
    ) -> Result<Option<EventBody>, ReadError> {
        let Some(seq) = seq else {
            return Ok(None);
        };
        // The first entry backwards from this number has the event.
        let request = self
            .log(session, seq, seq)
            .scan_index_forward(false)
            .limit(1);
        let page = Self::pages(request, None).next().await?.unwrap_or_default();
        let found = envelopes_between(session, page, seq, seq)?.pop();
        Ok(found.and_then(|envelope| match envelope.body {
            StoredEventBody::Known(body) => Some(body),
            StoredEventBody::Unknown { .. } => None,
        }))
    }
}
