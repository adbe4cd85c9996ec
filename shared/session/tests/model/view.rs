//! The hash of a world. Worlds with the same future have one hash and count as one state.
//!
//! The hash leaves out what no decision depends on. It measures times from the oldest clock in use
//! and epochs by their order, and covers only the log entries that a writer can still meet. Both
//! workers and both client handlers are interchangeable. `reduction` tests this.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use session::{Epoch, Rules, State, Timestamp};

use crate::scenarios::rules;
use crate::world::{CLIENT_HANDLERS, DEAD_LETTERS, Message, SWEEPER, World, Writer};

/// Values relative to the present, with times limited to what the clock can reach.
pub struct View<'a> {
    world: &'a World,
    rules: Rules,
    /// The oldest clock reading in use. Earlier times are past for every writer.
    oldest_clock: Timestamp,
    /// The epochs in use, collected by the first description of the world.
    epochs: RefCell<BTreeSet<Epoch>>,
}

impl View<'_> {
    /// Returns a time relative to the oldest clock. All past times are equal, and all times out of
    /// reach.
    pub fn time(&self, time: Timestamp) -> u64 {
        self.within_reach(time.since(self.oldest_clock))
    }

    fn within_reach(&self, duration: Duration) -> u64 {
        let reach = self.age(self.oldest_clock) + u64::from(self.world.budget.ticks);
        duration.as_secs().min(reach + 1)
    }

    /// Returns the age of a time in ticks.
    pub fn age(&self, time: Timestamp) -> u64 {
        self.world.now().since(time).as_secs()
    }

    /// Returns the age of a function, or 0 if the clock has no ticks left.
    pub fn life(&self, born: u32) -> u32 {
        if self.world.budget.ticks == 0 {
            0
        } else {
            self.world.tick - born
        }
    }

    pub fn is_holder(&self, worker: usize) -> bool {
        self.world.observer.is_holder(worker)
    }

    /// Whether a reply may still be lost, so that a caller returns with an old state.
    pub fn may_lose_replies(&self) -> bool {
        self.world.budget.lost_replies > 0
    }

    /// Only the epoch of a dead letter is used.
    pub fn message(&self, message: Message, into: &mut impl Hasher) {
        match message {
            Message::Wake(run, epoch) if self.world.budget.given_up > 0 => {
                (run, self.epoch(epoch)).hash(into);
            }
            Message::Wake(run, _) => run.hash(into),
            Message::Purge => 0_u8.hash(into),
        }
    }

    /// Returns the rank of an epoch among those in use.
    pub fn epoch(&self, epoch: Epoch) -> usize {
        let mut epochs = self.epochs.borrow_mut();
        epochs.insert(epoch);
        epochs.range(epoch..).count()
    }

    /// Hashes the state that an append is decided on, and the entry at its position, if there is
    /// one. A writer that has lost a race reads the newest entry instead.
    pub fn base(&self, base: &State, writer: Writer, lost: bool, into: &mut impl Hasher) {
        self.state(base, into);
        let newest = self.world.log.newest();
        if let Some(entry) = self.world.log.at(base.last_seq.plus(1)) {
            let own = entry.commit == Some(writer);
            (lost, own).hash(into);
            if own {
                // The writer continues on this entry once it recognises it.
                self.base(&entry.state, writer, false, into);
            } else if !lost {
                (entry.first == newest.first).hash(into);
                self.state(&entry.state, into);
            }
        }
    }

    /// Hashes what a decision on this state depends on.
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

/// Hashes a collection without its order.
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

/// A hasher that ignores its input.
#[derive(Default)]
struct NullHasher;

impl Hasher for NullHasher {
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
        // The first pass only collects the epochs in use.
        self.describe::<NullHasher>(&view, &mut NullHasher);
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
        self.observer.hash(into);
        self.due.map(|due| view.time(due)).hash(into);
        view.state(self.state(), into);
        let message = |message: &Message| digest::<D>(|d| view.message(*message, d));
        unordered(self.queue.iter().map(message), into);
        let workers = self.workers.iter().enumerate();
        let workers = workers.map(|(i, worker)| digest::<D>(|d| worker.describe(view, i, d)));
        unordered(workers, into);
        let handler = |i: usize| digest::<D>(|d| self.describe_handler(view, i, d));
        unordered(CLIENT_HANDLERS.into_iter().map(handler), into);
        (handler(SWEEPER), handler(DEAD_LETTERS)).hash(into);
    }

    fn describe_handler(&self, view: &View<'_>, i: usize, into: &mut impl Hasher) {
        if let Some(handler) = &self.handlers[i] {
            view.life(handler.born).hash(into);
            handler.append.describe(view, Writer::Handler(i), into);
        }
    }
}

/// Stateright compares fingerprints and needs equality for its paths.
impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        digest::<DefaultHasher>(|d| self.hash(d)) == digest::<DefaultHasher>(|d| other.hash(d))
    }
}
