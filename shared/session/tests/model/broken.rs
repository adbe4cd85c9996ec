//! The protocol with one of its rules switched off. The model must find each.

use std::time::Duration;

use session::{Change, Command, Refusal, Rules, State, Timestamp};

use crate::Protocol;

/// A rule that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A put succeeds also where its place is taken: it replaces the entry.
    PutUnconditional,
    /// A worker's commit counts under any epoch.
    EpochIgnored,
    /// Whoever gives the lease back leaves its epoch as it was.
    ReleaseKeepsEpoch,
    /// Nobody notes when to look after a run that waits for a worker.
    QueuedWithoutDue,
    /// Who takes the lease drops the answer that came before.
    AnswerDropped,
    /// A writer takes its own entry for somebody else's.
    CommitNotRecognised,
    /// The items go as soon as the session is deleted.
    PurgeAtOnce,
    /// They go when the longest life of a worker is over.
    PurgeTooSoon,
    /// A worker takes the lease though another one holds it: as if its clock were wrong. This one must break nothing.
    LeaseIgnored,
}

impl Broken {
    /// What the broken protocol decides.
    pub fn decide(
        self,
        rules: &Rules,
        state: &State,
        mut command: Command,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut state = state.clone();
        match (self, &mut command) {
            (
                Self::EpochIgnored,
                Command::Commit { epoch, .. } | Command::YieldLease { epoch, .. },
            ) => {
                *epoch = state.lease.epoch;
            }
            (Self::LeaseIgnored, Command::TakeLease { .. }) => state.lease.until = None,
            _ => {}
        }
        let mut change = rules.decide(&state, &command, now)?;
        let released = state.lease.until.is_some() && change.state.lease.until.is_none();
        match (self, &command) {
            (Self::ReleaseKeepsEpoch, _) if released => {
                change.state.lease.epoch = state.lease.epoch;
            }
            (Self::AnswerDropped, Command::TakeLease { .. }) => {
                if let Some(run) = change.state.run.as_mut() {
                    run.answer = None;
                }
            }
            _ => {}
        }
        Ok(change)
    }
}

impl Protocol {
    /// The same scenario with a rule switched off.
    pub fn with(self, broken: Broken) -> Self {
        let mut rules = self.rules;
        match broken {
            Broken::PurgeAtOnce => rules.purge_delay = Duration::ZERO,
            Broken::PurgeTooSoon => rules.purge_delay = Duration::from_secs(self.life.into()),
            _ => {}
        }
        Self {
            rules,
            broken: Some(broken),
            ..self
        }
    }

    /// Whether a put has its condition.
    pub fn minds_the_place(&self) -> bool {
        self.broken != Some(Broken::PutUnconditional)
    }

    /// Whether a live lease keeps other workers from trying.
    pub fn minds_the_lease(&self) -> bool {
        self.broken != Some(Broken::LeaseIgnored)
    }

    /// What the summary says of a state.
    pub fn due(&self, state: &State) -> Option<Timestamp> {
        let queued = state.run.as_ref().is_some_and(|run| run.status.is_live())
            && state.lease.until.is_none();
        if queued && self.broken == Some(Broken::QueuedWithoutDue) {
            return None;
        }
        self.rules.due(state)
    }
}
