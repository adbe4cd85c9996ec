//! A world: the log, the queue, the functions that run, and the faults that may still happen.

use std::sync::Arc;

use session::{Epoch, RunId, State, Timestamp};

use crate::append::Append;
use crate::log::Log;
use crate::observer::Observer;
use crate::worker::{Job, Worker};

/// Returns the time of a tick.
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
    /// The due time in the summary.
    pub due: Option<Timestamp>,
    /// The messages that were sent and not handled.
    pub queue: Vec<Message>,
    /// At most two invocations of the executor.
    pub workers: [Worker; 2],
    /// Invocations of the other functions.
    pub handlers: [Option<Handler>; 4],
    /// The actions and faults that may still happen.
    pub budget: Budget,
    /// The observations for the properties.
    pub observer: Observer,
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

    /// Whether no function runs and the queue is empty.
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

    /// Returns the appends in flight.
    pub fn appends(&self) -> impl Iterator<Item = &Append> {
        let handlers = self.handlers.iter().flatten();
        self.jobs()
            .filter_map(|job| job.append.as_ref())
            .chain(handlers.map(|handler| &handler.append))
    }

    /// Returns the states that next appends may be decided on.
    fn bases(&self) -> impl Iterator<Item = &State> {
        let held = self.jobs().filter_map(|job| job.held.as_ref());
        let bases = self.appends().map(|append| &append.base);
        held.map(|held| &held.state)
            .chain(bases)
            .map(|state| &**state)
    }

    /// Drops the entries before the oldest position that a writer may still try.
    pub fn drop_unreachable_entries(&mut self) {
        let oldest = self.bases().map(|base| base.last_seq).min();
        self.log.keep_from(oldest.map(|last| last.plus(1)));
    }
}

/// A message in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Message {
    /// A run needs a worker.
    Wake(RunId, Epoch),
    /// A deleted session must be purged.
    Purge,
}

/// A writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Writer {
    Worker(usize),
    Handler(usize),
}

/// The handlers that serve clients.
pub const CLIENT_HANDLERS: [usize; 2] = [0, 1];
/// The sweeper.
pub const SWEEPER: usize = 2;
/// The dead-letter function.
pub const DEAD_LETTERS: usize = 3;

/// A function other than the executor, between its read and the end of its append.
#[derive(Debug, Clone)]
pub struct Handler {
    pub append: Append,
    /// When it began.
    pub born: u32,
}

/// How often each fault and each client request may still happen.
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
    /// Messages that the queue gives up.
    pub given_up: u8,
    /// Lost replies to completed puts.
    pub lost_replies: u8,
    /// Yielded leases, with or without a commit.
    pub yields: u8,
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
