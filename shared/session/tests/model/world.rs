//! Everything there is at one moment: the log, the queue, who is at work, and what trouble may still come.
//!
//! Two moments from which the same can follow are one state of the model. So the hash leaves out what no decision looks
//! at, counts times from now, places from the end of the log and epochs from the newest, and takes both workers, and
//! both people, for interchangeable.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use session::{Epoch, Rules, RunId, Seq, State, Timestamp};

use crate::append::Append;
use crate::book::Book;
use crate::scenarios::rules;
use crate::worker::Worker;

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

    /// Forgets the entries that nobody can meet any more: all before the oldest place that somebody may try to write.
    pub fn forget_old_entries(&mut self) {
        let workers = self.workers.iter().filter_map(|worker| worker.job.as_ref());
        let bases = workers.flat_map(|job| job.bases());
        let handlers = self.handlers.iter().flatten();
        let bases = bases.chain(handlers.map(|handler| &handler.append.base));
        let oldest = bases.map(|base| base.last_seq).min();
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

/// An entry of the log; its last seq is its state's.
#[derive(Debug, Clone)]
pub struct Entry {
    pub first: Seq,
    pub state: Arc<State>,
    /// Who wrote it, as long as the writer still needs to know its own entry by the commit's id.
    pub commit: Option<Who>,
}

/// The session's items in the table: the newest entry, and those before it that somebody may still run into.
#[derive(Debug, Clone)]
pub struct Log {
    entries: Vec<Entry>,
    /// Whether all but the newest were removed by a purge.
    pub purged: bool,
}

impl Log {
    pub fn beginning_with(state: State) -> Self {
        let first = Entry {
            first: Seq(1),
            state: Arc::new(state),
            commit: None,
        };
        Self {
            entries: vec![first],
            purged: false,
        }
    }

    pub fn newest(&self) -> &Entry {
        self.entries.last().expect("a log is never empty")
    }

    /// The entry at a place.
    pub fn at(&self, place: Seq) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.first == place)
    }

    /// Puts an item, as a table does: what was at its place is gone.
    pub fn put(&mut self, entry: Entry) {
        self.entries.retain(|other| other.first != entry.first);
        self.entries.push(entry);
        self.entries.sort_by_key(|entry| entry.first);
    }

    /// Nobody will ask any more which entries were this writer's.
    pub fn disown(&mut self, who: Who) {
        for entry in &mut self.entries {
            entry.commit = entry.commit.filter(|writer| *writer != who);
        }
    }

    /// Removes everything but the newest entry.
    pub fn purge(&mut self) {
        self.keep_from(None);
        self.purged = true;
    }

    fn keep_from(&mut self, place: Option<Seq>) {
        let newest = self.newest().first;
        let place = place.map_or(newest, |place| place.min(newest));
        self.entries.retain(|entry| entry.first >= place);
    }
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

/// How things are told apart: relative to what is newest now, and times no further than the clock will go.
pub struct View<'a> {
    world: &'a World,
    rules: Rules,
}

impl View<'_> {
    /// How long until then; what the clock will not reach is all the same.
    pub fn time(&self, time: Timestamp) -> u64 {
        self.within_reach(time.since(self.world.now()))
    }

    pub fn within_reach(&self, duration: Duration) -> u64 {
        duration
            .as_secs()
            .min(u64::from(self.world.budget.ticks) + 1)
    }

    /// How long ago.
    pub fn age(&self, time: Timestamp) -> u64 {
        self.world.now().since(time).as_secs()
    }

    /// How long a function has lived, where it may yet grow too old.
    pub fn life(&self, born: u32) -> u32 {
        if self.world.budget.ticks == 0 {
            0
        } else {
            self.world.tick - born
        }
    }

    /// Whether a caller may be told of trouble, and come back with what it knew before.
    pub fn may_lose_replies(&self) -> bool {
        self.world.budget.lost_replies > 0
    }

    /// Only a dead letter's epoch is looked at.
    pub fn message(&self, message: Message, into: &mut impl Hasher) {
        match message {
            Message::Wake(run, epoch) if self.world.budget.burials > 0 => {
                (run, self.is_newest(epoch)).hash(into);
            }
            Message::Wake(run, _) => run.hash(into),
            Message::Purge => 0_u8.hash(into),
        }
    }

    /// Whether it is the newest epoch: one that was overtaken stays so.
    pub fn is_newest(&self, epoch: Epoch) -> bool {
        epoch == self.world.state().lease.epoch
    }

    /// What somebody's append builds on, and what is in its way: the entry at its place, if there is one.
    pub fn base(&self, base: &State, who: Who, into: &mut impl Hasher) {
        self.state(base, into);
        let newest = self.world.log.newest();
        if let Some(entry) = self.world.log.at(base.last_seq.plus(1)) {
            (entry.commit == Some(who), entry.first == newest.first).hash(into);
            self.state(&entry.state, into);
        }
    }

    /// What a decision on this state can depend on.
    pub fn state(&self, state: &State, into: &mut impl Hasher) {
        (state.status, state.suspend_reason, state.runs > 0).hash(into);
        state.is_deleted().hash(into);
        state.approval.as_ref().map(|open| open.id).hash(into);
        self.rules.due(state).map(|due| self.time(due)).hash(into);
        self.is_newest(state.lease.epoch).hash(into);
        state.lease.until.map(|until| self.time(until)).hash(into);
        state.lease.attempts.hash(into);
        if let Some(run) = &state.run {
            (run.id, run.status, run.position, run.answer.is_some()).hash(into);
            if run.status.is_live() {
                let pause = self.rules.requeue * (1 << run.sends.min(6));
                self.within_reach(pause).hash(into);
            }
        }
    }
}

/// The hashes of things whose order means nothing.
fn unordered(hashes: impl Iterator<Item = u64>, into: &mut impl Hasher) {
    let mut hashes: Vec<_> = hashes.collect();
    hashes.sort_unstable();
    hashes.hash(into);
}

fn digest(hash: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash(&mut hasher);
    hasher.finish()
}

impl Hash for World {
    fn hash<H: Hasher>(&self, into: &mut H) {
        let newest = self.log.newest();
        let view = View {
            world: self,
            rules: rules(),
        };
        (self.budget, self.log.purged).hash(into);
        self.book.hash(into);
        self.due.map(|due| view.time(due)).hash(into);
        view.state(&newest.state, into);
        unordered(
            self.queue
                .iter()
                .map(|message| digest(|d| view.message(*message, d))),
            into,
        );
        let workers = self.workers.iter().enumerate();
        let workers = workers.map(|(i, worker)| digest(|d| worker.describe(&view, i, d)));
        unordered(workers, into);
        let handler = |i: usize| digest(|d| self.describe_handler(&view, i, d));
        unordered(PEOPLE.into_iter().map(handler), into);
        (handler(SWEEPER), handler(DEAD_LETTERS)).hash(into);
    }
}

impl World {
    fn describe_handler(&self, view: &View<'_>, i: usize, into: &mut impl Hasher) {
        if let Some(handler) = &self.handlers[i] {
            view.life(handler.born).hash(into);
            handler.append.describe(view, Who::Handler(i), into);
        }
    }
}

/// Two worlds are the same when the same can follow; stateright compares fingerprints, and asks for this for its paths.
impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        digest(|d| self.hash(d)) == digest(|d| other.hash(d))
    }
}
