//! Mutations: the protocol with one rule switched off. The model must find each of them.

use std::time::Duration;

use session::{Change, Command, Mode, Refusal, Rules, State, Timestamp};

use crate::Protocol;

/// A rule that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// A put at a taken position replaces the entry.
    PutUnconditional,
    /// A worker's commit is accepted under any epoch.
    EpochIgnored,
    /// A released lease keeps its epoch.
    ReleaseKeepsEpoch,
    /// A queued run has no due time.
    QueuedWithoutDue,
    /// A worker that takes the lease drops the unused answer.
    AnswerDropped,
    /// A writer does not recognise its own entry.
    CommitNotRecognised,
    /// The purge follows the delete without delay.
    PurgeAtOnce,
    /// The purge waits for the longest life of one worker only.
    PurgeTooSoon,
    /// A worker takes a held lease, as if its clock were wrong. This must cause no violation.
    LeaseIgnored,
    /// A mode without resume takes a task after a completed one.
    CompletedContinues,
}

impl Mutation {
    /// Decides the command under the mutation.
    pub fn decide(
        self,
        rules: &Rules,
        state: &State,
        mut command: Command,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mode = state.mode;
        let mut state = state.clone();
        match (self, &mut command) {
            (
                Self::EpochIgnored,
                Command::Commit { epoch, .. } | Command::YieldLease { epoch, .. },
            ) => {
                *epoch = state.lease.epoch;
            }
            (Self::LeaseIgnored, Command::TakeLease { .. }) => state.lease.until = None,
            (Self::CompletedContinues, Command::StartRun(_)) => state.mode = Mode::PlanningControl,
            _ => {}
        }
        let mut change = rules.decide(&state, &command, now)?;
        change.state.mode = mode;
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
    /// Returns the same scenario under a mutation.
    pub fn with(self, mutation: Mutation) -> Self {
        let mut rules = self.rules;
        match mutation {
            Mutation::PurgeAtOnce => rules.purge_delay = Duration::ZERO,
            Mutation::PurgeTooSoon => rules.purge_delay = Duration::from_secs(self.life.into()),
            _ => {}
        }
        Self {
            rules,
            mutation: Some(mutation),
            ..self
        }
    }

    /// Whether a put requires a free position.
    pub fn checks_position(&self) -> bool {
        self.mutation != Some(Mutation::PutUnconditional)
    }

    /// Whether a worker respects a held lease.
    pub fn checks_lease(&self) -> bool {
        self.mutation != Some(Mutation::LeaseIgnored)
    }

    /// Returns the due time that the summary holds for a state.
    pub fn due(&self, state: &State) -> Option<Timestamp> {
        let queued = state.run.as_ref().is_some_and(|run| run.status.is_live())
            && state.lease.until.is_none();
        if queued && self.mutation == Some(Mutation::QueuedWithoutDue) {
            return None;
        }
        self.rules.due(state)
    }
}
