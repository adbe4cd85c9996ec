//! The executor: a message, a lease, step after step; it may die between any two calls.
//!
//! As `slice.rs` and `held.rs` do it: look, take the lease, work, append; whoever loses a race decides again; whoever finds
//! itself overtaken stops without a word; the last commit of a slice is followed by a message where one is needed.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use session::{DueAction, Epoch, Refusal, RunId, RunStatus, State};

use crate::Protocol;
use crate::append::{Append, Put, Reply, Step, Wish};
use crate::engine::{Outcome, Plan};
use crate::view::View;
use crate::world::{Message, Who, World};

/// How often a slice looks again when others were at the session meanwhile.
const LOOKS: u8 = 3;

/// One of the executor's invocations, if it is busy.
#[derive(Debug, Clone, Default)]
pub struct Worker {
    pub job: Option<Box<Job>>,
}

/// What an invocation is at.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it was called for; it goes back to the queue if the invocation dies.
    pub message: Message,
    /// When it began.
    pub born: u32,
    looks: u8,
    /// The lease, once it is taken.
    pub held: Option<Held>,
    /// What is on its way into the log.
    pub append: Option<Append>,
}

/// A lease, as its holder knows it.
#[derive(Debug, Clone)]
pub struct Held {
    pub run: RunId,
    pub epoch: Epoch,
    /// The newest state that the holder knows.
    pub state: Arc<State>,
}

/// What a worker that holds the lease does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// It brings what came of its stage, and hands back or not.
    Bring(Outcome, bool),
    /// Its time is up before it did anything.
    TimeUp,
}

impl Worker {
    pub fn describe(&self, view: &View<'_>, i: usize, into: &mut impl Hasher) {
        let Some(job) = &self.job else { return };
        (view.life(job.born), job.looks, view.is_holder(i)).hash(into);
        view.message(job.message, into);
        let who = Who::Worker(i);
        if let Some(held) = &job.held {
            (held.run, view.epoch(held.epoch)).hash(into);
            if job.append.is_none() || view.may_lose_replies() {
                view.base(&held.state, who, false, into);
            }
        }
        if let Some(append) = &job.append {
            append.describe(view, who, into);
        }
    }
}

impl Protocol {
    /// A message comes to an idle worker, which looks at the newest entry.
    pub fn deliver(&self, world: &mut World, i: usize, message: Message) {
        match message {
            Message::Purge => self.purge(world),
            Message::Wake(..) => {
                let job = Job {
                    message,
                    born: world.tick,
                    looks: 0,
                    held: None,
                    append: None,
                };
                world.workers[i].job = self.look(world, job).map(Box::new);
            }
        }
    }

    /// A deleted session's items go, when their time has come.
    fn purge(&self, world: &mut World) {
        if self.rules.recover(world.state(), world.now()) == Some(DueAction::Purge) {
            world.log.purge();
            world.due = None;
        }
    }

    /// Whether there is something to do; the job then tries to take the lease.
    fn look(&self, world: &World, mut job: Job) -> Option<Job> {
        let Message::Wake(run, _) = job.message else {
            return None;
        };
        let state = world.state();
        let at = state
            .unfinished_run()
            .filter(|unfinished| unfinished.id == run && unfinished.status.is_live())
            .map(|run| run.position)?;
        if (state.is_leased(world.now()) && self.minds_the_lease()) || job.looks == LOOKS {
            return None;
        }
        job.looks += 1;
        let until = crate::world::at(job.born + self.lease);
        job.append = Some(Append::new(
            Wish::Take { run, until, at },
            state,
            world.now(),
        ));
        Some(job)
    }

    /// A worker with a lease makes a move: it begins an append.
    pub fn step(&self, world: &mut World, i: usize, next: Move) {
        let now = world.now();
        let question = world.book.questions + 1;
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
        let wish = match next {
            Move::TimeUp => Wish::YieldLease {
                run: held.run,
                epoch: held.epoch,
            },
            Move::Bring(outcome, yield_lease) => Wish::Commit(Step {
                run: held.run,
                epoch: held.epoch,
                at: run.position,
                outcome,
                yield_lease,
                answered: run
                    .answer
                    .and_then(|seq| world.book.answer_at(seq))
                    .filter(|_| Plan::asks(run.position)),
                question,
            }),
        };
        job.append = Some(Append::new(wish, &held.state, now));
    }

    /// A worker's append is tried once.
    pub fn worker_puts(&self, world: &mut World, i: usize, reply: Reply) {
        let Some(mut job) = world.workers[i].job.take() else {
            return;
        };
        let Some(mut append) = job.append.take() else {
            return;
        };
        let put = self.put(world, Who::Worker(i), &mut append, reply);
        if matches!(put, Put::Again) {
            job.append = Some(append);
            world.workers[i].job = Some(job);
            return;
        }
        world.log.disown(Who::Worker(i));
        let goes_on = match (put, job.held.clone()) {
            (Put::Stands(state), _) => self.absorb(world, *job, state),
            (Put::Refused(Refusal::Moved), None) => self.look(world, *job),
            (Put::Refused(_), Some(held)) => go_on_with_newest(world, *job, held),
            (Put::Refused(_), None) => None,
            (Put::Trouble, Some(held)) => {
                // It is patient: the same command, as a new commit, on the state that it knew.
                job.append = Some(Append::new(append.wish, &held.state, world.now()));
                Some(*job)
            }
            (_, None) => {
                world.send(job.message);
                None
            }
            (Put::Again, _) => None,
        };
        if goes_on.is_none() {
            world.book.dismiss(i);
        }
        world.workers[i].job = goes_on.map(Box::new);
    }

    /// What is committed is known to the worker: it goes on, or sends what must follow and ends.
    fn absorb(&self, world: &mut World, mut job: Job, state: Arc<State>) -> Option<Job> {
        let Message::Wake(run, _) = job.message else {
            return None;
        };
        let epoch = job
            .held
            .as_ref()
            .map_or(state.lease.epoch, |held| held.epoch);
        if is_ours(&state, run, epoch) {
            job.held = Some(Held { run, epoch, state });
            return Some(job);
        }
        if let Some(wake) = state.wake(world.now()) {
            world.send(Message::Wake(wake.run_id, wake.epoch));
        }
        None
    }

    /// A worker dies. Its message comes again.
    pub fn crash(&self, world: &mut World, i: usize) {
        if let Some(job) = world.workers[i].job.take() {
            world.log.disown(Who::Worker(i));
            world.book.dismiss(i);
            world.send(job.message);
        }
    }
}

/// A refused worker looks whether it was refused because of itself.
fn go_on_with_newest(world: &World, mut job: Job, held: Held) -> Option<Job> {
    let state = Arc::clone(world.state());
    is_ours(&state, held.run, held.epoch).then(|| {
        job.held = Some(Held { state, ..held });
        job
    })
}

fn is_ours(state: &State, run: RunId, epoch: Epoch) -> bool {
    let running = state
        .unfinished_run()
        .is_some_and(|unfinished| unfinished.id == run && unfinished.status == RunStatus::Running);
    running && state.lease.epoch == epoch && state.lease.until.is_some()
}
