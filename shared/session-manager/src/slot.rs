//! Slots limit the rate of requests to a service over all runs of a deployment.
//!
//! A slot is one item with the time at which it is free. A caller takes it by moving that time on,
//! on the condition that it has passed: of several concurrent callers one succeeds, and no call
//! waits. A slot is as exact as the clocks of the machines.
//!
//! A line is a slot that is taken in advance: each caller gets the first time that no earlier one
//! has, and returns at that time.

use std::time::Duration;

use session::{SessionId, Timestamp};

use crate::dynamo::item::{from_item, text};
use crate::dynamo::items::SlotItem;
use crate::dynamo::keys;
use crate::dynamo::update::update_attributes;
use crate::{ReadError, SessionManager};

/// The outcome of an attempt to take a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The caller has the slot.
    Taken,
    /// Another caller has the slot. It is free again at this time.
    FreeAt(Timestamp),
}

impl SessionManager {
    /// Takes the slot of this name, if it is free. It is free again `every` later.
    ///
    /// A success whose reply was lost is not recognised: that turn is lost, and never used twice.
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
        let update = update_attributes(keys::slot(name), vec![(keys::FREE_AT, next)], &[])
            .condition_expression("attribute_not_exists(PK) OR #free_at <= :now")
            .expression_attribute_values(":now", text(now.to_string()));
        let Some(old) = self.update_or_old(update).await? else {
            return Ok(Slot::Taken);
        };
        let slot: SlotItem = from_item("slot", old)?;
        Ok(Slot::FreeAt(slot.free_at))
    }

    /// Takes a place in the line of this name: the first free time from `earliest` on. The next
    /// place is `every` later.
    ///
    /// A success whose reply was lost is not recognised: that place stays empty.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn take_place(
        &self,
        line: &str,
        every: Duration,
        earliest: Timestamp,
    ) -> Result<Timestamp, ReadError> {
        let mut place = earliest;
        // Where a take is refused, another caller has a place, so all callers together advance.
        while let Slot::FreeAt(free_at) = self.take_slot(line, every, place).await? {
            place = free_at;
        }
        Ok(place)
    }

    /// Blocks the slot of this name until `until`, or longer if it was blocked longer before.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn push_back_slot(&self, name: &str, until: Timestamp) -> Result<(), ReadError> {
        let set = vec![(keys::FREE_AT, text(until.to_string()))];
        let update = update_attributes(keys::slot(name), set, &[])
            .condition_expression("attribute_not_exists(PK) OR #free_at < :free_at");
        Ok(self.update_if(update).await?)
    }

    /// Moves a session's due time behind the arrival of a message that waits for a slot, so that
    /// the sweeper does not send it a second time. The log does not change, nor does a session
    /// without a due time.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn postpone(&self, session: SessionId, arrival: Timestamp) -> Result<(), ReadError> {
        // Moved only when half of the time is used up, so that not every message costs a write.
        let soon = arrival.plus(self.rules.requeue / 2);
        let later = arrival.plus(self.rules.requeue);
        let summary = keys::key(keys::session(session), keys::SUMMARY);
        let update = update_attributes(summary, vec![(keys::DUE, text(later.to_string()))], &[])
            .condition_expression("#due < :soon")
            .expression_attribute_values(":soon", text(soon.to_string()));
        Ok(self.update_if(update).await?)
    }
}
