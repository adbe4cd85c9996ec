//! The executor: it gets a message, takes the lease and does stage after stage.
//!
//! As in production, it reads, takes the lease, works and appends. It decides again after a lost
//! race and stops when it has lost the lease. After the last commit of a slice it sends the wake
//! message, if one is needed. It may die between any two calls.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use session::{DueAction, Epoch, Refusal, RunId, RunStatus, State};

use crate::Protocol;
use crate::append::{Append, Put, Reply, Request, StageResult};
use crate::engine::{Outcome, Plan};
use crate::view::View;
use crate::world::{Message, World, Writer};

/// How often a worker reads the session again after other writers' commits.
const READS: u8 = 3;

/// An invocation of the executor, or none.
#[derive(Debug, Clone, Default)]
pub struct Worker {
    pub job: Option<Box<Job>>,
}

/// The work of an invocation.
#[derive(Debug, Clone)]
pub struct Job {
    /// The message, which returns to the queue if the invocation dies.
    pub message: Message,
    /// When it began.
    pub born: u32,
    reads: u8,
    /// The lease, if it holds it.
    pub held: Option<HeldLease>,
    /// The append in flight, if any.
    pub append: Option<Append>,
}

/// The lease as its holder knows it.
#[derive(Debug, Clone)]
pub struct HeldLease {
    pub run: RunId,
    pub epoch: Epoch,
    /// The newest state that the holder knows.
    pub state: Arc<State>,
}

/// The next action of a worker that holds the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// It commits the outcome of its stage, and may yield the lease.
    Commit(Outcome, bool),
    /// It yields the lease without an outcome.
    Yield,
}

impl Worker {
    pub fn describe(&self, view: &View<'_>, i: usize, into: &mut impl Hasher) {
        let Some(job) = &self.job else { return };
        (view.life(job.born), job.reads, view.is_holder(i)).hash(into);
        view.message(job.message, into);
        let writer = Writer::Worker(i);
        if let Some(held) = &job.held {
            (held.run, view.epoch(held.epoch)).hash(into);
            if job.append.is_none() || view.may_lose_replies() {
                view.base(&held.state, writer, false, into);
            }
        }
        if let Some(append) = &job.append {
            append.describe(view, writer, into);
        }
    }
}

impl Protocol {
    /// Delivers a message to an idle worker, which reads the newest entry.
    pub fn deliver(&self, world: &mut World, i: usize, message: Message) {
        match message {
            Message::Purge => self.purge(world),
            Message::Wake(..) => {
                let job = Job {
                    message,
                    born: world.tick,
                    reads: 0,
                    held: None,
                    append: None,
                };
                world.workers[i].job = self.read_and_take(world, job).map(Box::new);
            }
        }
    }

    /// Purges a deleted session whose due time has come.
    fn purge(&self, world: &mut World) {
        if self.rules.recover(world.state(), world.now()) == Some(DueAction::Purge) {
            world.log.purge();
            world.due = None;
        }
    }

    /// Begins to take the lease if the run needs a worker, or returns `None`.
    fn read_and_take(&self, world: &World, mut job: Job) -> Option<Job> {
        let Message::Wake(run, _) = job.message else {
            return None;
        };
        let state = world.state();
        let at = state
            .unfinished_run()
            .filter(|unfinished| unfinished.id == run && unfinished.status.is_live())
            .map(|run| run.position)?;
        if (state.is_leased(world.now()) && self.checks_lease()) || job.reads == READS {
            return None;
        }
        job.reads += 1;
        let until = crate::world::at(job.born + self.lease);
        job.append = Some(Append::new(
            Request::Take { run, until, at },
            state,
            world.now(),
        ));
        Some(job)
    }

    /// A worker with the lease begins an append.
    pub fn step(&self, world: &mut World, i: usize, next: Move) {
        let now = world.now();
        let approval = world.observer.approvals + 1;
        let Some(job) = world.workers[i].job.as_mut() else {
            return;
        };
        let Some((held, run)) = job
            .held
            .as_ref()
            .and_then(|held| Some((held, held.state.run.as_ref()?)))
        else {
            return;
        };
        let request = match next {
            Move::Yield => Request::YieldLease {
                run: held.run,
                epoch: held.epoch,
            },
            Move::Commit(outcome, yield_lease) => Request::Commit(StageResult {
                run: held.run,
                epoch: held.epoch,
                at: run.position,
                outcome,
                yield_lease,
                answered: run
                    .answer
                    .and_then(|seq| world.observer.answer_at(seq))
                    .filter(|_| Plan::is_checkpoint(run.position)),
                approval,
            }),
        };
        job.append = Some(Append::new(request, &held.state, now));
    }

    /// Tries the append of a worker once.
    pub fn worker_puts(&self, world: &mut World, i: usize, reply: Reply) {
        let Some(mut job) = world.workers[i].job.take() else {
            return;
        };
        let Some(mut append) = job.append.take() else {
            return;
        };
        let put = self.put(world, Writer::Worker(i), &mut append, reply);
        if matches!(put, Put::Retry) {
            job.append = Some(append);
            world.workers[i].job = Some(job);
            return;
        }
        world.log.forget_commit_ids(Writer::Worker(i));
        let next_job = match (put, job.held.clone()) {
            (Put::Committed(state), _) => self.continue_after_commit(world, *job, state),
            (Put::Refused(Refusal::Moved), None) => self.read_and_take(world, *job),
            (Put::Refused(_), Some(held)) => continue_on_newest(world, *job, held),
            (Put::Refused(_), None) => None,
            (Put::Unknown, Some(held)) => {
                // It repeats the command as a new commit, on the state that it knew.
                job.append = Some(Append::new(append.request, &held.state, world.now()));
                Some(*job)
            }
            (_, None) => {
                world.send(job.message);
                None
            }
            (Put::Retry, _) => None,
        };
        if next_job.is_none() {
            world.observer.worker_ended(i);
        }
        world.workers[i].job = next_job.map(Box::new);
    }

    /// Continues with the committed state, or sends the wake message and ends.
    fn continue_after_commit(
        &self,
        world: &mut World,
        mut job: Job,
        state: Arc<State>,
    ) -> Option<Job> {
        let Message::Wake(run, _) = job.message else {
            return None;
        };
        let epoch = job
            .held
            .as_ref()
            .map_or(state.lease.epoch, |held| held.epoch);
        if still_holds_lease(&state, run, epoch) {
            job.held = Some(HeldLease { run, epoch, state });
            return Some(job);
        }
        if let Some(wake) = state.wake(world.now()) {
            world.send(Message::Wake(wake.run_id, wake.epoch));
        }
        None
    }

    /// A worker dies. Its message is delivered again.
    pub fn crash(&self, world: &mut World, i: usize) {
        if let Some(job) = world.workers[i].job.take() {
            world.log.forget_commit_ids(Writer::Worker(i));
            world.observer.worker_ended(i);
            world.send(job.message);
        }
    }
}

/// Continues on the newest state if the worker still holds the lease.
fn continue_on_newest(world: &World, mut job: Job, held: HeldLease) -> Option<Job> {
    let state = Arc::clone(world.state());
    still_holds_lease(&state, held.run, held.epoch).then(|| {
        job.held = Some(HeldLease { state, ..held });
        job
    })
}

fn still_holds_lease(state: &State, run: RunId, epoch: Epoch) -> bool {
    let running = state
        .unfinished_run()
        .is_some_and(|unfinished| unfinished.id == run && unfinished.status == RunStatus::Running);
    running && state.lease.epoch == epoch && state.lease.until.is_some()
}
