//! An observer of the commits, which detects violations of the protocol.
//!
//! It uses none of the fields that decisions depend on. It derives the holder of the lease, the
//! committed steps and the unused answer from the committed commands.

use std::collections::BTreeSet;

use session::{ApprovalId, Change, RowChange, RunId, RunStatus, Seq, Stage, State};

use crate::append::{Append, Request, StageResult};
use crate::engine::{Outcome, Plan};
use crate::log::Log;
use crate::world::Writer;

/// A violation of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Violation {
    /// An entry does not follow the newest one, or replaced another entry.
    Gap,
    /// A worker committed work without holding the lease.
    SecondWriter,
    /// The work of a step is committed twice.
    StepTwice,
    /// An accepted answer never reached the engine.
    AnswerLost,
    /// An answer was used twice.
    AnswerTwice,
    /// An entry was written after the delete.
    WriteAfterDelete,
    /// Two runs or approvals are open at once, or one ended twice.
    RowsDisagree,
    /// A writer got a refusal for a change that is committed.
    WrongReply,
    /// A mode without resume took a task after a completed one.
    CompletedContinued,
}

/// The observations.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    pub violations: BTreeSet<Violation>,
    /// The number of runs.
    pub runs: u8,
    /// The number of approvals.
    pub approvals: u8,
    /// The worker that took the lease last, until the lease was released.
    holder: Option<usize>,
    /// The committed steps of the task, as bits.
    steps: u8,
    answer: Option<Answer>,
    /// The run and the approval whose rows are open.
    pub open_run: Option<RunId>,
    pub open_approval: Option<ApprovalId>,
    /// Whether the newest run has completed, as its status in the state says too.
    completed: bool,
}

/// The newest answer.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    seq: Seq,
    option: usize,
    used: bool,
}

impl std::hash::Hash for Answer {
    fn hash<H: std::hash::Hasher>(&self, into: &mut H) {
        (self.option, self.used).hash(into);
    }
}

impl std::hash::Hash for Observer {
    /// The hash of a worker contains whether it holds the lease, because workers are
    /// interchangeable.
    fn hash<H: std::hash::Hasher>(&self, into: &mut H) {
        (&self.violations, self.runs, self.approvals, self.steps).hash(into);
        (self.answer, self.open_run, self.open_approval).hash(into);
    }
}

impl Observer {
    pub fn beginning_with(change: &Change) -> Self {
        let mut observer = Self::default();
        observer.rows(change);
        observer
    }

    /// Observes a change that is about to be committed to `log`.
    pub fn observe(&mut self, log: &Log, writer: Writer, append: &Append, change: &Change) {
        let newest = &log.newest().state;
        let events = change.events.len() as u64;
        let follows = append.base.last_seq == newest.last_seq
            && change.state.last_seq == newest.last_seq.plus(events);
        self.expect(follows, Violation::Gap);
        self.expect(!newest.is_deleted(), Violation::WriteAfterDelete);
        self.lease(newest, writer, append, change);
        match append.request {
            Request::Commit(step) => self.step(&step),
            Request::Answer { option, .. } => self.accept(change, option),
            // An expiry that counts as an answer counts as the first option.
            Request::Recover if is_answered(change) => self.accept(change, 0),
            Request::Start { .. } => {
                self.steps = 0;
                self.answer = None;
            }
            _ => {}
        }
        self.rows(change);
    }

    /// Observes that a writer gets a refusal.
    pub fn refused(&mut self, append: &Append) {
        self.expect(!append.committed, Violation::WrongReply);
    }

    /// Observes that a worker has ended.
    pub fn worker_ended(&mut self, worker: usize) {
        self.holder = self.holder.filter(|holder| *holder != worker);
    }

    /// Whether the worker holds the lease.
    pub fn is_holder(&self, worker: usize) -> bool {
        self.holder == Some(worker)
    }

    /// Returns the option of the answer at `seq`, if the newest answer is there.
    pub fn answer_at(&self, seq: Seq) -> Option<usize> {
        let answer = self.answer.filter(|answer| answer.seq == seq);
        answer.map(|answer| answer.option)
    }

    /// Whether the newest answer is not used yet.
    pub fn has_unused_answer(&self) -> bool {
        self.answer.is_some_and(|answer| !answer.used)
    }

    /// Whether the newest answer was used.
    pub fn has_used_answer(&self) -> bool {
        self.answer.is_some_and(|answer| answer.used)
    }

    fn expect(&mut self, holds: bool, violation: Violation) {
        if !holds {
            self.violations.insert(violation);
        }
    }

    fn lease(&mut self, newest: &State, writer: Writer, append: &Append, change: &Change) {
        let by = |i| writer == Writer::Worker(i);
        if matches!(
            append.request,
            Request::Commit(_) | Request::YieldLease { .. }
        ) {
            self.expect(self.holder.is_some_and(by), Violation::SecondWriter);
        }
        let free = change.state.lease.until.is_none();
        match (append.request, writer) {
            (Request::Take { .. }, Writer::Worker(i)) => self.holder = Some(i).filter(|_| !free),
            // The lease has expired, and no other worker has taken it.
            (Request::Recover, _) => {}
            _ if free && newest.lease.until.is_some() => self.holder = None,
            _ => {}
        }
    }

    fn step(&mut self, step: &StageResult) {
        if step.outcome != Outcome::Natural {
            return;
        }
        if step.at.stage == Stage::Step {
            let bit = 1 << step.at.step;
            self.expect(self.steps & bit == 0, Violation::StepTwice);
            self.steps |= bit;
        }
        if Plan::is_checkpoint(step.at) && step.answered.is_some() {
            self.expect(self.has_unused_answer(), Violation::AnswerTwice);
            if let Some(answer) = self.answer.as_mut() {
                answer.used = true;
            }
        }
    }

    fn accept(&mut self, change: &Change, option: usize) {
        self.expect(!self.has_unused_answer(), Violation::AnswerLost);
        self.answer = Some(Answer {
            seq: change.state.last_seq,
            option,
            used: false,
        });
    }

    fn rows(&mut self, change: &Change) {
        for row_change in &change.row_changes {
            match row_change {
                RowChange::RunStarted(row) => {
                    self.expect(self.open_run.is_none(), Violation::RowsDisagree);
                    let may_follow = !self.completed || change.state.mode.supports_resume();
                    self.expect(may_follow, Violation::CompletedContinued);
                    self.completed = false;
                    self.open_run = Some(row.id);
                    self.runs += 1;
                }
                RowChange::RunEnded(end) => self.end(end.id, end.status),
                RowChange::ApprovalAsked(row) => {
                    self.expect(self.open_approval.is_none(), Violation::RowsDisagree);
                    self.expect(!self.has_unused_answer(), Violation::AnswerLost);
                    self.open_approval = Some(row.approval_id);
                    self.approvals += 1;
                }
                RowChange::ApprovalClosed(end) => {
                    self.expect(self.open_approval == Some(end.id), Violation::RowsDisagree);
                    self.open_approval = None;
                }
            }
        }
    }

    fn end(&mut self, run: RunId, status: RunStatus) {
        self.expect(self.open_run == Some(run), Violation::RowsDisagree);
        self.open_run = None;
        self.completed = status == RunStatus::Completed;
        match status {
            RunStatus::Completed => self.expect(!self.has_unused_answer(), Violation::AnswerLost),
            // A cancelled run needs no answer.
            RunStatus::Cancelled => self.answer = None,
            // The takeover of a failed run uses the answer.
            _ => {}
        }
    }
}

/// Whether the expiry of an approval counted as its answer.
fn is_answered(change: &Change) -> bool {
    let expired = change
        .row_changes
        .iter()
        .any(|row_change| matches!(row_change, RowChange::ApprovalClosed(_)));
    expired
        && change
            .state
            .unfinished_run()
            .is_some_and(|run| run.status.is_live())
}
