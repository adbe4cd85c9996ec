//! What makes two worlds one state of the model: that the same can follow from both.
//!
//! The hash leaves out what no decision looks at, counts times from the oldest clock that anybody still goes by, epochs by
//! their order, and knows of the log only what is in somebody's way; both workers, and both people, are interchangeable.
//! `reduction` puts it to the test.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use session::{Epoch, Rules, State, Timestamp};

use crate::scenarios::rules;
use crate::world::{DEAD_LETTERS, Message, PEOPLE, SWEEPER, Who, World};

/// How things are told apart: relative to what is newest now, and times no further than the clock will go.
pub struct View<'a> {
    world: &'a World,
    rules: Rules,
    /// The clock that was read longest ago by anybody who still goes by it: what lies before is over for all.
    oldest_clock: Timestamp,
    /// The epochs that anybody goes by, collected while the world is described for the first time.
    epochs: RefCell<BTreeSet<Epoch>>,
}

impl View<'_> {
    /// When that is; what is over, and what the clock will not reach, is all the same.
    pub fn time(&self, time: Timestamp) -> u64 {
        self.within_reach(time.since(self.oldest_clock))
    }

    fn within_reach(&self, duration: Duration) -> u64 {
        let reach = self.age(self.oldest_clock) + u64::from(self.world.budget.ticks);
        duration.as_secs().min(reach + 1)
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

    pub fn is_holder(&self, worker: usize) -> bool {
        self.world.book.is_holder(worker)
    }

    /// Whether a caller may be told of trouble, and come back with what it knew before.
    pub fn may_lose_replies(&self) -> bool {
        self.world.budget.lost_replies > 0
    }

    /// Only a dead letter's epoch is looked at.
    pub fn message(&self, message: Message, into: &mut impl Hasher) {
        match message {
            Message::Wake(run, epoch) if self.world.budget.burials > 0 => {
                (run, self.epoch(epoch)).hash(into);
            }
            Message::Wake(run, _) => run.hash(into),
            Message::Purge => 0_u8.hash(into),
        }
    }

    /// How many of the epochs that anybody goes by are newer.
    pub fn epoch(&self, epoch: Epoch) -> usize {
        let mut epochs = self.epochs.borrow_mut();
        epochs.insert(epoch);
        epochs.range(epoch..).count()
    }

    /// What somebody's append builds on, and what is in its way: the entry at its place, if there is one. Who has lost before
    /// does not look at that, but at the newest.
    pub fn base(&self, base: &State, who: Who, lost: bool, into: &mut impl Hasher) {
        self.state(base, into);
        let newest = self.world.log.newest();
        if let Some(entry) = self.world.log.at(base.last_seq.plus(1)) {
            let own = entry.commit == Some(who);
            (lost, own).hash(into);
            if own {
                // It will build on that one when it knows.
                self.base(&entry.state, who, false, into);
            } else if !lost {
                (entry.first == newest.first).hash(into);
                self.state(&entry.state, into);
            }
        }
    }

    /// What a decision on this state can depend on.
    pub fn state(&self, state: &State, into: &mut impl Hasher) {
        (state.status, state.suspend_reason, state.runs > 0).hash(into);
        state.is_deleted().hash(into);
        state.approval.as_ref().map(|open| open.id).hash(into);
        self.rules.due(state).map(|due| self.time(due)).hash(into);
        self.epoch(state.lease.epoch).hash(into);
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

fn digest<D: Hasher + Default>(hash: impl FnOnce(&mut D)) -> u64 {
    let mut hasher = D::default();
    hash(&mut hasher);
    hasher.finish()
}

/// Hears nothing.
#[derive(Default)]
struct Deaf;

impl Hasher for Deaf {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        0
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, into: &mut H) {
        let view = View {
            world: self,
            rules: rules(),
            oldest_clock: self.oldest_clock(),
            epochs: RefCell::default(),
        };
        // The first time for the epochs: only then is it known which there are.
        self.describe::<Deaf>(&view, &mut Deaf);
        self.describe::<DefaultHasher>(&view, into);
    }
}

impl World {
    fn oldest_clock(&self) -> Timestamp {
        let clocks = self.appends().map(|append| append.now);
        clocks.chain([self.now()]).min().expect("there is one")
    }

    fn describe<D: Hasher + Default>(&self, view: &View<'_>, into: &mut impl Hasher) {
        (self.budget, self.log.purged).hash(into);
        self.book.hash(into);
        self.due.map(|due| view.time(due)).hash(into);
        view.state(self.state(), into);
        let message = |message: &Message| digest::<D>(|d| view.message(*message, d));
        unordered(self.queue.iter().map(message), into);
        let workers = self.workers.iter().enumerate();
        let workers = workers.map(|(i, worker)| digest::<D>(|d| worker.describe(view, i, d)));
        unordered(workers, into);
        let handler = |i: usize| digest::<D>(|d| self.describe_handler(view, i, d));
        unordered(PEOPLE.into_iter().map(handler), into);
        (handler(SWEEPER), handler(DEAD_LETTERS)).hash(into);
    }

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
        digest::<DefaultHasher>(|d| self.hash(d)) == digest::<DefaultHasher>(|d| other.hash(d))
    }
}
