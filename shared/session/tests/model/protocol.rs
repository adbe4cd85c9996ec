//! The model: the possible actions in a world, and their effects.

use std::sync::Arc;

use session::{Mode, NewSession, OwnerId, Rules, SessionId, State, Timestamp, create};
use stateright::{Model, Property};
use uuid::Uuid;

use crate::append::{Append, Reply, Request, new_run};
use crate::engine::{Outcome, Plan};
use crate::log::Log;
use crate::mutation::Mutation;
use crate::observer::Observer;
use crate::worker::{Move, Worker};
use crate::world::{Budget, DEAD_LETTERS, Message, World, Writer};

/// A scenario: the plan of the run, the durations and the budget of faults.
#[derive(Debug, Clone)]
pub struct Protocol {
    pub name: &'static str,
    pub plan: Plan,
    /// The mode of the session.
    pub mode: Mode,
    pub rules: Rules,
    /// The duration of a lease in ticks.
    pub lease: u32,
    /// The life of a worker in ticks; longer than a lease, because its clock may be slow.
    pub life: u32,
    pub budget: Budget,
    /// Whether the session begins with a task.
    pub with_task: bool,
    /// The number of workers that died before the start.
    pub lost_workers: u32,
    /// The situations that must be reached.
    pub must_reach: &'static [&'static str],
    /// The mutation, if any.
    pub mutation: Option<Mutation>,
}

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A message is delivered to a worker. It may also stay in the queue.
    Deliver { message: usize, stays: bool },
    /// A message is lost.
    Lose { message: usize },
    /// The queue gives up a message.
    GiveUp { message: usize },
    /// A worker with the lease does its stage and tries to append the outcome.
    Work {
        worker: usize,
        then: Move,
        reply: Reply,
    },
    /// A writer tries its append: again, or to take the lease.
    Put { writer: Writer, reply: Reply },
    /// A worker dies.
    Crash { worker: usize },
    /// A client's request begins.
    Request(Request),
    /// The sweeper reads an overdue session.
    Sweep,
    /// Time passes.
    Tick,
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let new = NewSession {
            id: SessionId::new(Uuid::from_u128(1)),
            owner: OwnerId::of("issuer", "ada"),
            mode: self.mode,
            run: self.with_task.then(|| new_run(1)),
        };
        let now = crate::world::at(0);
        let change = create(&new, now);
        let observer = Observer::beginning_with(&change);
        let state = self.after_lost_workers(change.state, now);
        let mut world = World {
            tick: 0,
            due: self.due(&state),
            queue: vec![],
            workers: [Worker::default(), Worker::default()],
            handlers: [None, None, None, None],
            budget: self.budget,
            observer,
            log: Log::beginning_with(state),
        };
        if let Some(wake) = world.state().wake(now) {
            world.send(Message::Wake(wake.run_id, wake.epoch));
        }
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        messages(world, actions);
        for worker in 0..world.workers.len() {
            self.worker_actions(world, worker, actions);
        }
        for (i, handler) in world.handlers.iter().enumerate() {
            if handler.is_some() {
                let writer = Writer::Handler(i);
                actions.extend(replies(world).map(|reply| Action::Put { writer, reply }));
            }
        }
        actions.extend(
            crate::handlers::possible_requests(world)
                .into_iter()
                .map(Action::Request),
        );
        if self.is_overdue(world) {
            actions.push(Action::Sweep);
        }
        if world.budget.ticks > 0 {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut world = world.clone();
        self.apply(&mut world, action)?;
        world.drop_unreachable_entries();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.all_properties()
    }
}

fn messages(world: &World, actions: &mut Vec<Action>) {
    let idle = world.workers.iter().any(|worker| worker.job.is_none());
    let budget = &world.budget;
    for message in 0..world.queue.len() {
        if message > 0 && world.queue[message] == world.queue[message - 1] {
            continue;
        }
        let happens = [
            (
                idle,
                Action::Deliver {
                    message,
                    stays: false,
                },
            ),
            (
                idle && budget.copies > 0,
                Action::Deliver {
                    message,
                    stays: true,
                },
            ),
            (budget.losses > 0, Action::Lose { message }),
            (budget.given_up > 0, Action::GiveUp { message }),
        ];
        let happens = happens.into_iter().filter(|(may, _)| *may);
        actions.extend(happens.map(|(_, action)| action));
    }
}

fn replies(world: &World) -> impl Iterator<Item = Reply> + use<> {
    let lossy = world.budget.lost_replies > 0;
    let all = [Reply::Received, Reply::Repeated, Reply::Lost];
    all.into_iter().take(if lossy { 3 } else { 1 })
}

impl Protocol {
    fn after_lost_workers(&self, mut state: State, now: Timestamp) -> State {
        for _ in 0..self.lost_workers {
            let run = state.run.as_ref().expect("the session has a task");
            let taken = Request::Take {
                run: run.id,
                until: now,
                at: run.position,
            };
            for request in [taken, Request::Recover] {
                let append = Append::new(request, &Arc::new(state), now);
                state = self.decide(&append).expect("the run can be taken").state;
            }
        }
        state
    }

    fn worker_actions(&self, world: &World, worker: usize, actions: &mut Vec<Action>) {
        let Some(job) = &world.workers[worker].job else {
            return;
        };
        if world.budget.crashes > 0 {
            actions.push(Action::Crash { worker });
        }
        if job.append.is_some() {
            let writer = Writer::Worker(worker);
            actions.extend(replies(world).map(|reply| Action::Put { writer, reply }));
            return;
        }
        let budget = &world.budget;
        let moves = [
            (true, Move::Commit(Outcome::Natural, false)),
            (budget.yields > 0, Move::Commit(Outcome::Natural, true)),
            (budget.yields > 0, Move::Yield),
            (budget.delays > 0, Move::Commit(Outcome::Retry, false)),
            (budget.failures > 0, Move::Commit(Outcome::Fail, false)),
        ];
        for (_, then) in moves.into_iter().filter(|(may, _)| *may) {
            actions.extend(replies(world).map(|reply| Action::Work {
                worker,
                then,
                reply,
            }));
        }
    }

    fn apply(&self, world: &mut World, action: Action) -> Option<()> {
        match action {
            Action::Deliver { message, stays } => {
                let idle = world
                    .workers
                    .iter()
                    .position(|worker| worker.job.is_none())?;
                let delivered = world.queue[message];
                if stays {
                    world.budget.copies -= 1;
                } else {
                    world.queue.remove(message);
                }
                self.deliver(world, idle, delivered);
            }
            Action::Lose { message } => {
                world.budget.losses -= 1;
                world.queue.remove(message);
            }
            Action::GiveUp { message } => return self.give_up(world, message),
            Action::Work {
                worker,
                then,
                reply,
            } => {
                spend_on(world, then);
                self.step(world, worker, then);
                self.put_for(world, Writer::Worker(worker), reply);
            }
            Action::Put { writer, reply } => self.put_for(world, writer, reply),
            Action::Crash { worker } => {
                world.budget.crashes -= 1;
                self.crash(world, worker);
            }
            Action::Request(request) => return self.request(world, request),
            Action::Sweep => return self.sweep(world),
            Action::Tick => {
                world.budget.ticks -= 1;
                self.tick(world);
            }
        }
        Some(())
    }

    fn put_for(&self, world: &mut World, writer: Writer, reply: Reply) {
        if reply != Reply::Received {
            world.budget.lost_replies -= 1;
        }
        match writer {
            Writer::Worker(i) => self.worker_puts(world, i, reply),
            Writer::Handler(i) => self.handler_puts(world, i, reply),
        }
    }

    fn give_up(&self, world: &mut World, message: usize) -> Option<()> {
        if world.handlers[DEAD_LETTERS].is_some() {
            return None;
        }
        world.budget.given_up -= 1;
        match world.queue.remove(message) {
            Message::Wake(run, epoch) => self.dead_letter(world, run, epoch),
            Message::Purge => Some(()),
        }
    }
}

fn spend_on(world: &mut World, then: Move) {
    let budget = &mut world.budget;
    match then {
        Move::Yield => budget.yields -= 1,
        Move::Commit(outcome, yield_lease) => {
            budget.yields -= u8::from(yield_lease);
            match outcome {
                Outcome::Natural => {}
                Outcome::Retry => budget.delays -= 1,
                Outcome::Fail => budget.failures -= 1,
            }
        }
    }
}
