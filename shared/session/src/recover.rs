//! What is owed, and when somebody must look again.
//!
//! Everything that a session waits for, other than a person, has a time at which the sweeper takes a look: that is the
//! promise which lets a lost message, a dead worker or a forgotten question do no harm.

use serde::{Deserialize, Serialize};

use crate::{Epoch, Rules, RunId, SessionId, SessionStatus, State, Timestamp};

/// The longest pause between two sendings is the first one times two to this power: 32 minutes by default.
const MAX_DOUBLINGS: u32 = 6;

/// What is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueAction {
    /// A message for the run: it was lost, or its worker was.
    Wake,
    /// The end of an open question.
    ExpireApproval,
    /// The end of an idle session.
    ExpireIdle,
    /// The removal of a deleted session's items.
    Purge,
}

/// What the queue carries for a run; the epoch tells a dead letter that is old news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// Which session.
    pub session_id: SessionId,
    /// Which run.
    pub run_id: RunId,
    /// The lease's epoch when it was sent.
    #[serde(default)]
    pub epoch: Epoch,
}

impl State {
    /// The message that is needed for the run to go on: none where no run is live, or where a worker holds the lease
    /// and will meet whatever came meanwhile at its next append.
    pub fn wake(&self, now: Timestamp) -> Option<Wake> {
        let run = self.run.as_ref().filter(|run| run.status.is_live())?;
        (!self.is_deleted() && !self.is_leased(now)).then_some(Wake {
            session_id: self.session_id,
            run_id: run.id,
            epoch: self.lease.epoch,
        })
    }
}

impl Rules {
    /// When somebody must look at the session again; none where it waits for a person without a term, or for nothing.
    ///
    /// It depends on no field that a commit within a slice changes, so that those leave the index alone.
    pub fn due(&self, state: &State) -> Option<Timestamp> {
        self.owed(state).map(|(_, at)| at)
    }

    /// What is overdue at `now`, if anything.
    pub fn recover(&self, state: &State, now: Timestamp) -> Option<DueAction> {
        self.owed(state)
            .filter(|(_, at)| *at <= now)
            .map(|(owed, _)| owed)
    }

    fn owed(&self, state: &State) -> Option<(DueAction, Timestamp)> {
        if let Some(deleted_at) = state.deleted_at {
            return Some((DueAction::Purge, deleted_at.plus(self.purge_delay)));
        }
        if let Some(approval) = &state.approval {
            return Some((DueAction::ExpireApproval, approval.expires_at));
        }
        match state.unfinished_run() {
            Some(run) if run.status.is_live() => {
                let resend = || {
                    run.queued_at
                        .plus(self.requeue * (1 << run.sends.min(MAX_DOUBLINGS)))
                };
                Some((DueAction::Wake, state.lease.until.unwrap_or_else(resend)))
            }
            None if state.status == SessionStatus::Active => {
                Some((DueAction::ExpireIdle, state.updated_at.plus(self.idle_ttl)))
            }
            _ => None,
        }
    }
}
