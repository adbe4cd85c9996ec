//! The invariants, and the situations that scenarios must reach.

use session::{RunStatus, SessionStatus, SuspendReason};
use stateright::Property;

use crate::Protocol;
use crate::append::Reply;
use crate::engine::Outcome;
use crate::observer::Violation;
use crate::worker::Move;
use crate::world::{Budget, World};

type NamedPredicate = (&'static str, fn(&Protocol, &World) -> bool);

pub const GAP_FREE: &str = "events have no gap and are never replaced";
pub const ONE_WRITER: &str = "one writer";
pub const NO_STEP_TWICE: &str = "no step is committed twice";
pub const NO_ANSWER_LOST: &str = "no answer is lost or used twice";
pub const REPAIRED: &str = "every accepted task ends, waits or is repaired";
pub const STAYS_DELETED: &str = "a deleted session stays deleted";
pub const ROWS_AGREE: &str = "one run and one approval at a time, each ended once";
pub const WRITER_TOLD: &str = "the writer of a commit is told that it stands";
pub const ONE_COMPLETED: &str = "a mode without resume completes one task";

/// The properties that hold in every state.
pub const INVARIANTS: [NamedPredicate; 9] = [
    (GAP_FREE, |_, world| has_none(world, &[Violation::Gap])),
    (ONE_WRITER, one_writer),
    (NO_STEP_TWICE, |_, world| {
        has_none(world, &[Violation::StepTwice])
    }),
    (NO_ANSWER_LOST, no_answer_lost),
    (REPAIRED, repaired),
    (STAYS_DELETED, |_, world| {
        has_none(world, &[Violation::WriteAfterDelete])
    }),
    (ROWS_AGREE, rows_agree),
    (WRITER_TOLD, |_, world| {
        has_none(world, &[Violation::WrongReply])
    }),
    (ONE_COMPLETED, |_, world| {
        has_none(world, &[Violation::CompletedContinued])
    }),
];

pub const COMPLETED: &str = "a run completes";
pub const FAILED: &str = "a run fails";
pub const ANSWER_WAITS: &str = "an answer waits for a worker";
pub const ANSWER_USED: &str = "an answer is used";
pub const APPROVAL_EXPIRED: &str = "an approval expires";
pub const IDLE_EXPIRED: &str = "an idle session expires";
pub const PURGED: &str = "a deleted session is purged";
pub const DELETED_DURING_WORK: &str = "a session is deleted while a worker holds the lease";
pub const HOLDER_OUTLIVES_LEASE: &str = "a lease expires while its holder lives";
pub const TAKEN_OVER: &str = "a worker lives on after it lost the lease";
pub const SENT_AGAIN: &str = "a message is sent again by the sweeper";
pub const PAUSED_DURING_WORK: &str = "a run is paused while a worker holds the lease";
pub const SECOND_TASK: &str = "a second task completes";
pub const LOST_REPLY: &str = "a writer does not know that its change is committed";

/// The situations that must be reachable. Each scenario names those that it is about.
const REACHABLE: [NamedPredicate; 14] = [
    (COMPLETED, |_, world| run_is(world, RunStatus::Completed)),
    (FAILED, |_, world| run_is(world, RunStatus::Failed)),
    (ANSWER_WAITS, |_, world| world.observer.has_unused_answer()),
    (ANSWER_USED, |_, world| world.observer.has_used_answer()),
    (APPROVAL_EXPIRED, |_, world| {
        world.state().suspend_reason == Some(SuspendReason::ApprovalExpired)
    }),
    (IDLE_EXPIRED, |_, world| {
        world.state().status == SessionStatus::Expired
    }),
    (PURGED, |_, world| world.log.purged),
    (DELETED_DURING_WORK, |_, world| {
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
    (PAUSED_DURING_WORK, |_, world| {
        run_is(world, RunStatus::Paused) && current_holders(world) == 1
    }),
    (SECOND_TASK, |_, world| {
        run_is(world, RunStatus::Completed) && world.state().runs == 2
    }),
    (LOST_REPLY, |_, world| {
        world.appends().any(|append| append.committed)
    }),
];

impl Protocol {
    /// Returns the invariants, and the situations that this scenario must reach.
    pub fn all_properties(&self) -> Vec<Property<Self>> {
        let promises = INVARIANTS.map(|(name, holds)| Property::always(name, holds));
        let must_reach = REACHABLE
            .into_iter()
            .filter(|(name, _)| self.must_reach.contains(name));
        let must_reach = must_reach.map(|(name, seen)| Property::sometimes(name, seen));
        promises.into_iter().chain(must_reach).collect()
    }
}

fn has_none(world: &World, violations: &[Violation]) -> bool {
    !violations
        .iter()
        .any(|violation| world.observer.violations.contains(violation))
}

fn run_is(world: &World, status: RunStatus) -> bool {
    world
        .state()
        .run
        .as_ref()
        .is_some_and(|run| run.status == status)
}

fn holders(world: &World) -> impl Iterator<Item = &crate::worker::HeldLease> {
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
    has_none(world, &[Violation::SecondWriter]) && current_holders(world) <= 1
}

fn no_answer_lost(_: &Protocol, world: &World) -> bool {
    let in_state = world
        .state()
        .unfinished_run()
        .map(|run| run.answer.is_some());
    has_none(world, &[Violation::AnswerLost, Violation::AnswerTwice])
        && in_state.is_none_or(|in_state| in_state == world.observer.has_unused_answer())
}

fn rows_agree(_: &Protocol, world: &World) -> bool {
    let state = world.state();
    has_none(world, &[Violation::RowsDisagree])
        && state.unfinished_run().map(|run| run.id) == world.observer.open_run
        && state.approval.as_ref().map(|open| open.id) == world.observer.open_approval
}

/// Whether an unsettled session has a due time and, once no function runs, settles without further
/// faults.
fn repaired(protocol: &Protocol, world: &World) -> bool {
    is_settled(world)
        || (world.due.is_some() && (!world.is_quiet() || protocol.settles_without_faults(world)))
}

/// Whether nothing is left to do: the run has ended or waits for a person, or a deleted session is
/// purged.
fn is_settled(world: &World) -> bool {
    let state = world.state();
    if state.is_deleted() {
        return world.log.purged;
    }
    !state.run.as_ref().is_some_and(|run| run.status.is_live())
}

impl Protocol {
    /// Whether the sweeper, the queue and a worker settle the session without further faults.
    fn settles_without_faults(&self, world: &World) -> bool {
        let mut world = world.clone();
        world.budget = Budget::default();
        for _ in 0..100 {
            if is_settled(&world) {
                return true;
            }
            self.advance_without_faults(&mut world);
        }
        false
    }

    fn advance_without_faults(&self, world: &mut World) {
        let job = world.workers[0].job.as_ref();
        if job.is_some_and(|job| job.append.is_some()) {
            self.worker_puts(world, 0, Reply::Received);
        } else if job.is_some() {
            self.step(world, 0, Move::Commit(Outcome::Natural, false));
        } else if let Some(i) = world.handlers.iter().position(Option::is_some) {
            self.handler_puts(world, i, Reply::Received);
        } else if let Some(message) = world.queue.pop() {
            self.deliver(world, 0, message);
        } else if self.is_overdue(world) {
            self.sweep(world);
        } else {
            self.tick(world);
        }
    }
}
