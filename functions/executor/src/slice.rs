//! One slice of a run: look whether there is something to do, take the lease, and work as long as it is held.

use std::time::Instant;

use lambda_kit::{Problem, now};
use session::{Command, Refusal, RunId, State, Wake};
use session_manager::{Actor, ChangeError, ReadError};
use workflow::Engine;

use crate::leased_run::LeasedRun;
use crate::slot::SlotAccess;
use crate::{Deadline, Executor};

/// How often a slice looks again when others were at the session between its reading and its taking of the lease.
const LOOKS: usize = 3;

/// What came of the attempt to take a lease.
enum LeaseAttempt<'a> {
    Held(Box<LeasedRun<'a>>),
    /// Somebody else is at it, or it waits, or it is over.
    Not,
    /// The session changed between the reading and the taking.
    Moved,
}

impl Executor {
    /// Works on a run until it is done, waits, or the time is up.
    pub(crate) async fn slice(&self, wake: Wake, deadline: Deadline) -> Result<(), Problem> {
        let mut slot = None;
        for _ in 0..LOOKS {
            let state = match self.sessions.state(wake.session_id, &Actor::System).await {
                Ok(state) => state,
                Err(ReadError::NoSuchSession) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if !is_waiting(&state, wake.run_id) {
                return Ok(());
            }
            // One slot is enough, however often it looks.
            if slot.is_none() {
                match self.turn(&state, wake).await? {
                    SlotAccess::Now(taken) => slot = taken,
                    SlotAccess::Later => return Ok(()),
                }
            }
            match self.take_lease(state, slot, deadline).await? {
                LeaseAttempt::Held(held) => return held.work().await,
                LeaseAttempt::Not => return Ok(()),
                LeaseAttempt::Moved => {}
            }
        }
        // So many changes in so short a time: whoever makes them sends a message, and the sweeper looks after that.
        Ok(())
    }

    async fn take_lease(
        &self,
        state: State,
        slot: Option<Instant>,
        deadline: Deadline,
    ) -> Result<LeaseAttempt<'_>, Problem> {
        let Some(run) = state.unfinished_run() else {
            return Ok(LeaseAttempt::Not);
        };
        let (run_id, at) = (run.id, run.position);
        let loaded = self.load(&state, run).await?;
        let model = self
            .agents
            .model(loaded.settings.model(loaded.settings.agent()));
        let Some(engine) = Engine::on(&state, &loaded.settings, &loaded.memory) else {
            return Ok(LeaseAttempt::Not);
        };
        let opening = engine.open(model);
        let command = Command::TakeLease {
            run: run_id,
            until: deadline.timestamp(),
            at,
            opening,
        };
        let committed = match self.sessions.commit_on(state, &command, now()).await {
            Ok(committed) => committed,
            Err(ChangeError::Refused(Refusal::Moved, _)) => return Ok(LeaseAttempt::Moved),
            Err(ChangeError::Refused(refusal, _)) => {
                tracing::info!(run = %run_id, %refusal, "nothing to do");
                return Ok(LeaseAttempt::Not);
            }
            Err(error) => return Err(error.into()),
        };
        let held = LeasedRun::new(self, loaded, run_id, committed, slot, deadline).await?;
        Ok(LeaseAttempt::Held(Box::new(held)))
    }
}

fn is_waiting(state: &State, run: RunId) -> bool {
    let live = state
        .unfinished_run()
        .is_some_and(|unfinished| unfinished.id == run && unfinished.status.is_live());
    live && !state.is_leased(now())
}
