//! The due action of a session and its time.
//!
//! Every session that does not wait for a person alone has a due time, at which the sweeper reads
//! it. This repairs lost wake messages and dead workers, and ends expired approvals.

use serde::{Deserialize, Serialize};

use crate::{Epoch, Rules, RunId, SessionId, SessionStatus, State, Timestamp, WorkerKind};

/// Limits the pause between two sends to the first pause times 2⁶: 32 minutes by default.
const MAX_DOUBLINGS: u32 = 6;

/// What the sweeper does for a session at its due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueAction {
    /// Send a wake message: the last one was lost, or the worker died.
    Wake,
    /// Expire the open approval.
    ExpireApproval,
    /// Expire the idle session.
    ExpireIdle,
    /// Remove the items of a deleted session.
    Purge,
}

/// The wake message of a run. Its epoch shows whether a dead letter is outdated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// The session.
    pub session_id: SessionId,
    /// The run.
    pub run_id: RunId,
    /// The epoch at the time of sending.
    #[serde(default)]
    pub epoch: Epoch,
    /// The worker that the run needs, by which its queue is chosen.
    #[serde(default)]
    pub worker: WorkerKind,
    /// The run's place in the line for a service that is shared by all runs, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Timestamp>,
    /// Whether no other run may be worked on beside it, because it may have ended its last worker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
}

impl State {
    /// Returns the wake message that the run needs to continue. Returns `None` if no run is live,
    /// or if a worker holds the lease and finds the change at its next append.
    pub fn wake(&self, now: Timestamp) -> Option<Wake> {
        let run = self.run.as_ref().filter(|run| run.status.is_live())?;
        (!self.is_deleted() && !self.is_leased(now)).then_some(Wake {
            session_id: self.session_id,
            run_id: run.id,
            epoch: self.lease.epoch,
            worker: self.worker_kind(),
            place: None,
            alone: self.lease.attempts > 0,
        })
    }
}

impl Rules {
    /// Returns the due time of the session, or `None` if it waits for nothing that can expire.
    ///
    /// Commits within a slice change no field that it depends on, so they need no index update.
    pub fn due(&self, state: &State) -> Option<Timestamp> {
        self.next_due(state).map(|(_, at)| at)
    }

    /// Returns the due action if its time has come at `now`.
    pub fn recover(&self, state: &State, now: Timestamp) -> Option<DueAction> {
        self.next_due(state)
            .filter(|(_, at)| *at <= now)
            .map(|(action, _)| action)
    }

    fn next_due(&self, state: &State) -> Option<(DueAction, Timestamp)> {
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
