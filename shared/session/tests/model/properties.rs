//! What must hold in every state, and what must be reached in some.

use session::{RunStatus, SessionStatus, SuspendReason};
use stateright::Property;

use crate::Protocol;
use crate::append::Reply;
use crate::book::Fault;
use crate::engine::Outcome;
use crate::worker::Move;
use crate::world::{Budget, World};

type Always = (&'static str, fn(&Protocol, &World) -> bool);

pub const GAP_FREE: &str = "events have no gap and are never replaced";
pub const ONE_WRITER: &str = "one writer";
pub const NO_STEP_TWICE: &str = "no step is committed twice";
pub const NO_ANSWER_LOST: &str = "no answer is lost, none is used twice";
pub const REPAIRED: &str = "every accepted task ends, waits or is repaired";
pub const STAYS_DELETED: &str = "a deleted session stays deleted";
pub const ROWS_AGREE: &str = "one run and one question at a time, each ended once";
pub const TOLD_RIGHT: &str = "who made a commit is told so";

/// The promises.
pub const PROMISES: [Always; 8] = [
    (GAP_FREE, |_, world| kept(world, &[Fault::Gap])),
    (ONE_WRITER, one_writer),
    (NO_STEP_TWICE, |_, world| kept(world, &[Fault::StepTwice])),
    (NO_ANSWER_LOST, no_answer_lost),
    (REPAIRED, repaired),
    (STAYS_DELETED, |_, world| kept(world, &[Fault::Revived])),
    (ROWS_AGREE, rows_agree),
    (TOLD_RIGHT, |_, world| kept(world, &[Fault::ToldWrong])),
];

pub const COMPLETED: &str = "a run completes";
pub const FAILED: &str = "a run fails";
pub const ANSWER_WAITS: &str = "an answer waits for its worker";
pub const ANSWER_USED: &str = "an answer is used";
pub const QUESTION_LAPSED: &str = "a question lapses";
pub const IDLE_EXPIRED: &str = "an idle session expires";
pub const PURGED: &str = "a deleted session is purged";
pub const DELETED_AT_WORK: &str = "a session is deleted while a worker is at it";
pub const HOLDER_OUTLIVES_LEASE: &str = "a lease is over while its holder lives";
pub const TAKEN_OVER: &str = "a worker that was taken over lives on";
pub const SENT_AGAIN: &str = "a message is sent again by the sweeper";
pub const PAUSED_AT_WORK: &str = "a run is paused while a worker is at it";
pub const SECOND_TASK: &str = "a second task completes";
pub const LOST_REPLY: &str = "a commit stands whose writer does not know";

/// What must be reachable; each scenario names those that it is about.
const SIGHTS: [Always; 14] = [
    (COMPLETED, |_, world| run_is(world, RunStatus::Completed)),
    (FAILED, |_, world| run_is(world, RunStatus::Failed)),
    (ANSWER_WAITS, |_, world| world.book.owes_an_answer()),
    (ANSWER_USED, |_, world| world.book.used_an_answer()),
    (QUESTION_LAPSED, |_, world| {
        world.state().suspend_reason == Some(SuspendReason::ApprovalExpired)
    }),
    (IDLE_EXPIRED, |_, world| {
        world.state().status == SessionStatus::Expired
    }),
    (PURGED, |_, world| world.log.purged),
    (DELETED_AT_WORK, |_, world| {
        world.state().is_deleted() && holders(world).next().is_some()
    }),
    (HOLDER_OUTLIVES_LEASE, |_, world| {
        let until = world.state().lease.until;
        until.is_some_and(|until| until <= world.now()) && current_holders(world) == 1
    }),
    (TAKEN_OVER, |_, world| {
        current_holders(world) == 1 && holders(world).count() == 2
    }),
    (SENT_AGAIN, |_, world| {
        world.state().run.as_ref().is_some_and(|run| run.sends > 0)
    }),
    (PAUSED_AT_WORK, |_, world| {
        run_is(world, RunStatus::Paused) && current_holders(world) == 1
    }),
    (SECOND_TASK, |_, world| {
        run_is(world, RunStatus::Completed) && world.state().runs == 2
    }),
    (LOST_REPLY, |_, world| {
        world.appends().any(|append| append.stands)
    }),
];

impl Protocol {
    /// The promises, and the sights that this scenario is about.
    pub fn all_properties(&self) -> Vec<Property<Self>> {
        let promises = PROMISES.map(|(name, holds)| Property::always(name, holds));
        let sights = SIGHTS
            .into_iter()
            .filter(|(name, _)| self.sights.contains(name));
        let sights = sights.map(|(name, seen)| Property::sometimes(name, seen));
        promises.into_iter().chain(sights).collect()
    }
}

fn kept(world: &World, faults: &[Fault]) -> bool {
    !faults.iter().any(|fault| world.book.faults.contains(fault))
}

fn run_is(world: &World, status: RunStatus) -> bool {
    world
        .state()
        .run
        .as_ref()
        .is_some_and(|run| run.status == status)
}

fn holders(world: &World) -> impl Iterator<Item = &crate::worker::Held> {
    let jobs = world
        .workers
        .iter()
        .filter_map(|worker| worker.job.as_ref());
    jobs.filter_map(|job| job.held.as_ref())
}

fn current_holders(world: &World) -> usize {
    let epoch = world.state().lease.epoch;
    holders(world).filter(|held| held.epoch == epoch).count()
}

fn one_writer(_: &Protocol, world: &World) -> bool {
    kept(world, &[Fault::SecondWriter]) && current_holders(world) <= 1
}

fn no_answer_lost(_: &Protocol, world: &World) -> bool {
    let at_hand = world
        .state()
        .unfinished_run()
        .map(|run| run.answer.is_some());
    kept(world, &[Fault::AnswerLost, Fault::AnswerTwice])
        && at_hand.is_none_or(|at_hand| at_hand == world.book.owes_an_answer())
}

fn rows_agree(_: &Protocol, world: &World) -> bool {
    let state = world.state();
    kept(world, &[Fault::RowsDisagree])
        && state.unfinished_run().map(|run| run.id) == world.book.open_run
        && state.approval.as_ref().map(|open| open.id) == world.book.open_question
}

/// Whoever waits for something other than a person has a time at which somebody looks; and when nothing is under way any
/// more, those who look bring it on.
fn repaired(protocol: &Protocol, world: &World) -> bool {
    is_settled(world)
        || (world.due.is_some() && (!world.is_quiet() || protocol.comes_to_an_end(world)))
}

/// Whether nothing is owed: the run has ended, or waits for a person, and a deleted session's items are gone.
fn is_settled(world: &World) -> bool {
    let state = world.state();
    if state.is_deleted() {
        return world.log.purged;
    }
    !state.run.as_ref().is_some_and(|run| run.status.is_live())
}

impl Protocol {
    /// Whether the sweeper, the queue and a worker bring it to an end, if no further trouble comes.
    fn comes_to_an_end(&self, world: &World) -> bool {
        let mut world = world.clone();
        world.budget = Budget::default();
        for _ in 0..100 {
            if is_settled(&world) {
                return true;
            }
            self.without_trouble(&mut world);
        }
        false
    }

    fn without_trouble(&self, world: &mut World) {
        let job = world.workers[0].job.as_ref();
        if job.is_some_and(|job| job.append.is_some()) {
            self.worker_puts(world, 0, Reply::Heard);
        } else if job.is_some() {
            self.step(world, 0, Move::Bring(Outcome::Natural, false));
        } else if let Some(i) = world.handlers.iter().position(Option::is_some) {
            self.handler_puts(world, i, Reply::Heard);
        } else if let Some(message) = world.queue.pop() {
            self.deliver(world, 0, message);
        } else if self.is_overdue(world) {
            self.sweep(world);
        } else {
            self.tick(world);
        }
    }
}
