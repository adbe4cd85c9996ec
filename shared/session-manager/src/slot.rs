//! Slots: when the next request to a service may go out that takes few, from all runs of a deployment together.
//!
//! A slot is one item with the time at which it is free. Whoever takes it moves that time on, on the condition that it had
//! come: of any number who try at once, one gets it, and nobody waits in here. Clocks of different machines count, so a
//! slot is as exact as they are.

use std::time::Duration;

use session::{SessionId, Timestamp};

use crate::items::{SlotItem, from_item, text};
use crate::update::moved;
use crate::{ReadError, SessionManager, keys};

/// What came of the attempt to take a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It is the caller's, until the next one is free.
    Taken,
    /// Somebody else was first; it is free again then, for whoever is first.
    FreeAt(Timestamp),
}

impl SessionManager {
    /// Takes the slot of this name, if it is free; the next one is free `every` later.
    ///
    /// A taking whose reply was lost is not known again: its slot is then lost, and never used twice.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn take_slot(
        &self,
        name: &str,
        every: Duration,
        now: Timestamp,
    ) -> Result<Slot, ReadError> {
        let next = text(now.plus(every).to_string());
        let update = moved(keys::slot(name), vec![(keys::FREE_AT, next)], &[])
            .condition_expression("attribute_not_exists(PK) OR #free_at <= :now")
            .expression_attribute_values(":now", text(now.to_string()));
        let Some(old) = self.update_or_old(update).await? else {
            return Ok(Slot::Taken);
        };
        let slot: SlotItem = from_item("slot", old)?;
        Ok(Slot::FreeAt(slot.free_at))
    }

    /// Keeps the slot of this name from everybody until then, or longer if it was so already.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn push_back_slot(&self, name: &str, until: Timestamp) -> Result<(), ReadError> {
        let set = vec![(keys::FREE_AT, text(until.to_string()))];
        let update = moved(keys::slot(name), set, &[])
            .condition_expression("attribute_not_exists(PK) OR #free_at < :free_at");
        Ok(self.update_if(update).await?)
    }

    /// Moves the time at which the sweeper looks at a session, for a message that is known to arrive at `arrival`: a run that
    /// waits for a slot stands still, and its message is neither lost nor to be sent twice. The log is not touched, and a
    /// session that nothing is due for stays so.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn postpone(&self, session: SessionId, arrival: Timestamp) -> Result<(), ReadError> {
        // Half of the time is left before it is moved again: not every message costs a write.
        let soon = arrival.plus(self.rules.requeue / 2);
        let later = arrival.plus(self.rules.requeue);
        let summary = keys::key(keys::session(session), keys::SUMMARY);
        let update = moved(summary, vec![(keys::DUE, text(later.to_string()))], &[])
            .condition_expression("#due < :soon")
            .expression_attribute_values(":soon", text(soon.to_string()));
        Ok(self.update_if(update).await?)
    }
}
