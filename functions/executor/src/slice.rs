//! One slice of a run: read the state, take the lease, and work while the lease is held.

use lambda_kit::{Problem, QueueMessage, now};
use session::{Command, Refusal, RunId, State, Wake};
use session_manager::{Actor, ChangeError, Committed, ReadError};
use workflow::Engine;

use crate::leased_run::LeasedRun;
use crate::load::LoadedRun;
use crate::{Deadline, DocumentTasks, Executor};

/// How often a slice tries to take the lease when another change comes between its read and its
/// commit.
const ATTEMPTS: usize = 3;

/// The result of an attempt to take the lease.
enum LeaseAttempt {
    Taken(Box<(LoadedRun, Committed)>),
    /// Another worker has the lease, or the run waits or has ended.
    NotTaken,
    /// The session changed between the read and the commit.
    Moved,
}

impl<T: DocumentTasks> Executor<T> {
    /// Works on a run until it is done, waits, or the time is up. A run that needs the other kind
    /// of worker is handed on, whatever its message says.
    pub(crate) async fn slice(&self, wake: Wake, deadline: Deadline) -> Result<(), Problem> {
        let mut admitted = false;
        for _ in 0..ATTEMPTS {
            let state = match self.sessions.state(wake.session_id, &Actor::System).await {
                Ok(state) => state,
                Err(ReadError::NoSuchSession) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if !is_waiting(&state, wake.run_id) {
                return Ok(());
            }
            let worker = state.worker_kind();
            if worker != T::WORKER {
                let message = QueueMessage::Wake(Wake { worker, ..wake });
                return self.outbox.forward(message, Some(&state.owner)).await;
            }
            if !self.may_begin(&state, wake, &mut admitted).await? {
                return Ok(());
            }
            match self.take_lease(state, deadline).await? {
                LeaseAttempt::Taken(taken) => {
                    let (loaded, committed) = *taken;
                    let run = LeasedRun::new(self, loaded, wake.run_id, committed, deadline);
                    return run.await?.work().await;
                }
                LeaseAttempt::NotTaken => return Ok(()),
                LeaseAttempt::Moved => {}
            }
        }
        // Each of these changes brings a message of its own, and the sweeper repeats a lost one.
        Ok(())
    }

    async fn take_lease(&self, state: State, deadline: Deadline) -> Result<LeaseAttempt, Problem> {
        let Some(run) = state.unfinished_run() else {
            return Ok(LeaseAttempt::NotTaken);
        };
        let (run_id, at) = (run.id, run.position);
        let loaded = self.load(&state, run).await?;
        let model = self
            .agents
            .model(loaded.settings.model(loaded.settings.agent()));
        let Some(engine) = Engine::on(&state, &loaded.settings, &loaded.history) else {
            return Ok(LeaseAttempt::NotTaken);
        };
        let opening = engine.open(model);
        let command = Command::TakeLease {
            run: run_id,
            until: deadline.timestamp(),
            at,
            opening,
        };
        match self.sessions.commit_on(state, &command, now()).await {
            Ok(committed) => Ok(LeaseAttempt::Taken(Box::new((loaded, committed)))),
            Err(ChangeError::Refused(Refusal::Moved, _)) => Ok(LeaseAttempt::Moved),
            Err(ChangeError::Refused(refusal, _)) => {
                tracing::info!(run = %run_id, %refusal, "nothing to do");
                Ok(LeaseAttempt::NotTaken)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn is_waiting(state: &State, run: RunId) -> bool {
    let live = state
        .unfinished_run()
        .is_some_and(|unfinished| unfinished.id == run && unfinished.status.is_live());
    live && !state.is_leased(now())
}
