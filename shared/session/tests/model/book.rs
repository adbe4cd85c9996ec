//! What an onlooker notes of the entries as they land, to tell whether the protocol kept its word.
//!
//! It trusts none of the fields that decisions are made by: who holds the lease, which steps are done and which answer waits is
//! kept here a second time, from the commands that landed.

use std::collections::BTreeSet;

use session::{ApprovalId, Change, RowChange, RunId, RunStatus, Seq, Stage, State};

use crate::append::{Append, Step, Wish};
use crate::engine::{Outcome, Plan};
use crate::log::Log;
use crate::world::Who;

/// A word that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// An entry does not follow the newest one, or took another's place.
    Gap,
    /// A worker wrote whose lease somebody else had, or nobody.
    SecondWriter,
    /// A step's work stands twice.
    StepTwice,
    /// An answer was accepted and never reached the engine.
    AnswerLost,
    /// An answer was used again.
    AnswerTwice,
    /// Something was written behind the end of a deleted session.
    Revived,
    /// Two runs at once, or one that ended twice; likewise for questions.
    RowsDisagree,
    /// A writer whose commit stands was told that it was refused.
    ToldWrong,
}

/// The notes.
#[derive(Debug, Clone, Default)]
pub struct Book {
    pub faults: BTreeSet<Fault>,
    /// Runs so far.
    pub runs: u8,
    /// Questions so far.
    pub questions: u8,
    /// The worker whose taking of the lease landed last, until it was given back or taken away.
    holder: Option<usize>,
    /// The steps of the task whose work stands, as bits.
    steps: u8,
    answer: Option<Answer>,
    /// The rows that say that they have not ended.
    pub open_run: Option<RunId>,
    pub open_question: Option<ApprovalId>,
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

impl std::hash::Hash for Book {
    /// Who holds the lease is told with the workers, who are interchangeable.
    fn hash<H: std::hash::Hasher>(&self, into: &mut H) {
        (&self.faults, self.runs, self.questions, self.steps).hash(into);
        (self.answer, self.open_run, self.open_question).hash(into);
    }
}

impl Book {
    pub fn beginning_with(change: &Change) -> Self {
        let mut book = Self::default();
        book.rows(change);
        book
    }

    /// A change lands behind `log`.
    pub fn note(&mut self, log: &Log, who: Who, append: &Append, change: &Change) {
        let newest = &log.newest().state;
        let events = change.events.len() as u64;
        let follows = append.base.last_seq == newest.last_seq
            && change.state.last_seq == newest.last_seq.plus(events);
        self.expect(follows, Fault::Gap);
        self.expect(!newest.is_deleted(), Fault::Revived);
        self.lease(newest, who, append, change);
        match append.wish {
            Wish::Commit(step) => self.step(&step),
            Wish::Answer { option, .. } => self.accept(change, option),
            // The silence that is an answer counts as the first option.
            Wish::Recover if is_answered(change) => self.accept(change, 0),
            Wish::Start { .. } => {
                self.steps = 0;
                self.answer = None;
            }
            _ => {}
        }
        self.rows(change);
    }

    /// A writer is told that its wish is refused.
    pub fn refused(&mut self, append: &Append) {
        self.expect(!append.stands, Fault::ToldWrong);
    }

    /// A worker is gone.
    pub fn dismiss(&mut self, worker: usize) {
        self.holder = self.holder.filter(|holder| *holder != worker);
    }

    /// Whether the lease is this worker's.
    pub fn is_holder(&self, worker: usize) -> bool {
        self.holder == Some(worker)
    }

    /// The option of the answer that stands there.
    pub fn answer_at(&self, seq: Seq) -> Option<usize> {
        let answer = self.answer.filter(|answer| answer.seq == seq);
        answer.map(|answer| answer.option)
    }

    /// Whether an answer waits to be used.
    pub fn owes_an_answer(&self) -> bool {
        self.answer.is_some_and(|answer| !answer.used)
    }

    /// Whether an answer was used.
    pub fn used_an_answer(&self) -> bool {
        self.answer.is_some_and(|answer| answer.used)
    }

    fn expect(&mut self, holds: bool, fault: Fault) {
        if !holds {
            self.faults.insert(fault);
        }
    }

    fn lease(&mut self, newest: &State, who: Who, append: &Append, change: &Change) {
        let by = |i| who == Who::Worker(i);
        if matches!(append.wish, Wish::Commit(_) | Wish::YieldLease { .. }) {
            self.expect(self.holder.is_some_and(by), Fault::SecondWriter);
        }
        let free = change.state.lease.until.is_none();
        match (append.wish, who) {
            (Wish::Take { .. }, Who::Worker(i)) => self.holder = Some(i).filter(|_| !free),
            // The lease's time is over, and nobody else has it yet.
            (Wish::Recover, _) => {}
            _ if free && newest.lease.until.is_some() => self.holder = None,
            _ => {}
        }
    }

    fn step(&mut self, step: &Step) {
        if step.outcome != Outcome::Natural {
            return;
        }
        if step.at.stage == Stage::Step {
            let bit = 1 << step.at.step;
            self.expect(self.steps & bit == 0, Fault::StepTwice);
            self.steps |= bit;
        }
        if Plan::asks(step.at) && step.answered.is_some() {
            self.expect(self.owes_an_answer(), Fault::AnswerTwice);
            if let Some(answer) = self.answer.as_mut() {
                answer.used = true;
            }
        }
    }

    fn accept(&mut self, change: &Change, option: usize) {
        self.expect(!self.owes_an_answer(), Fault::AnswerLost);
        self.answer = Some(Answer {
            seq: change.state.last_seq,
            option,
            used: false,
        });
    }

    fn rows(&mut self, change: &Change) {
        for record in &change.row_changes {
            match record {
                RowChange::RunStarted(row) => {
                    self.expect(self.open_run.is_none(), Fault::RowsDisagree);
                    self.open_run = Some(row.id);
                    self.runs += 1;
                }
                RowChange::RunEnded(end) => self.end(end.id, end.status),
                RowChange::ApprovalAsked(row) => {
                    self.expect(self.open_question.is_none(), Fault::RowsDisagree);
                    self.expect(!self.owes_an_answer(), Fault::AnswerLost);
                    self.open_question = Some(row.approval_id);
                    self.questions += 1;
                }
                RowChange::ApprovalClosed(end) => {
                    self.expect(self.open_question == Some(end.id), Fault::RowsDisagree);
                    self.open_question = None;
                }
            }
        }
    }

    fn end(&mut self, run: RunId, status: RunStatus) {
        self.expect(self.open_run == Some(run), Fault::RowsDisagree);
        self.open_run = None;
        match status {
            RunStatus::Completed => self.expect(!self.owes_an_answer(), Fault::AnswerLost),
            // The person who ended it wants nothing of it any more.
            RunStatus::Cancelled => self.answer = None,
            // Who takes a failed run over finds the answer there.
            _ => {}
        }
    }
}

/// Whether a lapse of a question was its answer.
fn is_answered(change: &Change) -> bool {
    let lapsed = change
        .row_changes
        .iter()
        .any(|record| matches!(record, RowChange::ApprovalClosed(_)));
    lapsed
        && change
            .state
            .unfinished_run()
            .is_some_and(|run| run.status.is_live())
}
