//! Everything there is at one moment: the log, the queue, who is at work, and what trouble may still come.

use std::sync::Arc;

use session::{Epoch, RunId, State, Timestamp};

use crate::append::Append;
use crate::book::Book;
use crate::log::Log;
use crate::worker::{Job, Worker};

/// The moment so many ticks after the beginning.
pub fn at(tick: u32) -> Timestamp {
    Timestamp::from_micros(i64::from(tick) * 1_000_000).expect("a small number")
}

/// One state of the model.
#[derive(Debug, Clone)]
pub struct World {
    /// The clock.
    pub tick: u32,
    /// The session's entries.
    pub log: Log,
    /// What the summary says: when somebody must look again.
    pub due: Option<Timestamp>,
    /// What was sent and not yet handled.
    pub queue: Vec<Message>,
    /// Two invocations of the executor, at most.
    pub workers: [Worker; 2],
    /// Invocations of all the other functions.
    pub handlers: [Option<Handler>; 4],
    /// What may still happen.
    pub budget: Budget,
    /// What was seen to happen, for the properties.
    pub book: Book,
}

impl World {
    pub fn now(&self) -> Timestamp {
        at(self.tick)
    }

    pub fn state(&self) -> &Arc<State> {
        &self.log.newest().state
    }

    pub fn send(&mut self, message: Message) {
        self.queue.push(message);
        self.queue.sort();
    }

    /// Whether nothing is under way: nobody works, and no message will wake anybody.
    pub fn is_quiet(&self) -> bool {
        self.queue.is_empty()
            && self.workers.iter().all(|worker| worker.job.is_none())
            && self.handlers.iter().all(Option::is_none)
    }

    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.workers
            .iter()
            .filter_map(|worker| worker.job.as_deref())
    }

    /// All that is on its way into the log.
    pub fn appends(&self) -> impl Iterator<Item = &Append> {
        let handlers = self.handlers.iter().flatten();
        self.jobs()
            .filter_map(|job| job.append.as_ref())
            .chain(handlers.map(|handler| &handler.append))
    }

    /// What anybody's next append may be decided on.
    fn bases(&self) -> impl Iterator<Item = &State> {
        let held = self.jobs().filter_map(|job| job.held.as_ref());
        let bases = self.appends().map(|append| &append.base);
        held.map(|held| &held.state)
            .chain(bases)
            .map(|state| &**state)
    }

    /// Forgets the entries that nobody can meet any more: all before the oldest place that somebody may try to write.
    pub fn forget_old_entries(&mut self) {
        let oldest = self.bases().map(|base| base.last_seq).min();
        self.log.keep_from(oldest.map(|last| last.plus(1)));
    }
}

/// A message in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Message {
    /// A run has something to do.
    Wake(RunId, Epoch),
    /// A deleted session's items are to be removed.
    Purge,
}

/// Whoever appends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    Worker(usize),
    Handler(usize),
}

/// The handlers that serve people.
pub const PEOPLE: [usize; 2] = [0, 1];
/// The sweeper.
pub const SWEEPER: usize = 2;
/// The function for dead letters.
pub const DEAD_LETTERS: usize = 3;

/// A function other than the executor, between its reading of the session and the end of its append.
#[derive(Debug, Clone)]
pub struct Handler {
    pub append: Append,
    /// When it began.
    pub born: u32,
}

/// How much of each kind of trouble, and of what people do, may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    /// The clock's steps.
    pub ticks: u8,
    /// Workers that die between two calls.
    pub crashes: u8,
    /// Messages that are lost.
    pub losses: u8,
    /// Messages that stay in the queue though they were delivered.
    pub copies: u8,
    /// Messages that the queue gives up on.
    pub burials: u8,
    /// Replies to a put that are lost after it was done.
    pub lost_replies: u8,
    /// Invocations whose time is up, before or with a commit.
    pub hand_backs: u8,
    /// Stages that are put off.
    pub delays: u8,
    /// Stages that fail.
    pub failures: u8,
    /// Answers with each of the options.
    pub answers: [u8; 3],
    pub suspends: u8,
    pub resumes: u8,
    pub cancels: u8,
    pub deletes: u8,
    /// Further tasks.
    pub tasks: u8,
}
