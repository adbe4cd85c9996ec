//! Renaming a session.
//!
//! The name is in the summary alone: it is no part of the record, and nothing is decided by it. A
//! rename and a commit write different attributes of the summary, so neither undoes the other.

use session::SessionId;

use crate::dynamo::item::text;
use crate::dynamo::keys;
use crate::dynamo::update::update_attributes;
use crate::log::append::RetryBudget;
use crate::{Actor, ChangeError, ReadError, SessionManager, SessionSummary};

impl SessionManager {
    /// Gives a session this name, of at most 255 characters, or leaves it its own. Returns the
    /// summary, from the newest state.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn rename(
        &self,
        session: SessionId,
        actor: &Actor,
        name: Option<String>,
    ) -> Result<SessionSummary, ChangeError> {
        let state = self.state(session, actor).await?;
        let name = match name {
            Some(name) => self.set_name(session, name).await?,
            None => self.name(session).await?,
        };
        Ok(SessionSummary::of(&state, name))
    }

    /// Writes the name, unless the session was deleted after its state was read.
    async fn set_name(&self, session: SessionId, name: String) -> Result<String, ChangeError> {
        let mut retries = RetryBudget::new();
        loop {
            let key = keys::key(keys::session(session), keys::SUMMARY);
            let update = update_attributes(key, vec![(keys::NAME, text(&name))], &[])
                .condition_expression("attribute_exists(#name)");
            match self.update_or_old(update).await {
                Ok(None) => return Ok(name),
                Ok(Some(_)) => return Err(ReadError::NoSuchSession.into()),
                Err(error) if error.is_conflict() || error.is_throttled() => {
                    retries.wait_after(error).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
