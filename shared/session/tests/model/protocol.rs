//! The model: which things may happen next in a world, and what each does to it.

use std::sync::Arc;

use session::{NewSession, OwnerId, Rules, SessionId, State, Timestamp, create};
use stateright::{Model, Property};
use uuid::Uuid;

use crate::append::{Append, Reply, Wish, new_run};
use crate::book::Book;
use crate::broken::Broken;
use crate::engine::{Outcome, Plan};
use crate::log::Log;
use crate::worker::{Move, Worker};
use crate::world::{Budget, DEAD_LETTERS, Message, Who, World};

/// A scenario: what the run does, how long things take, and how much trouble there is.
#[derive(Debug, Clone)]
pub struct Protocol {
    pub name: &'static str,
    pub plan: Plan,
    pub rules: Rules,
    /// For how many ticks a worker takes the lease.
    pub lease: u32,
    /// For how many it lives: longer, because its clock may be slow.
    pub life: u32,
    pub budget: Budget,
    /// Whether the session begins with a task.
    pub with_task: bool,
    /// How many workers have died at it before the beginning.
    pub lost_workers: u32,
    /// What must be seen.
    pub sights: &'static [&'static str],
    /// The rule that is switched off.
    pub broken: Option<Broken>,
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A message comes to a worker, and may stay in the queue all the same.
    Deliver { message: usize, stays: bool },
    /// A message is lost.
    Lose { message: usize },
    /// A message failed too often.
    Bury { message: usize },
    /// A worker with the lease does its stage, and tries to append what came of it.
    Work {
        worker: usize,
        then: Move,
        reply: Reply,
    },
    /// A try to append that was refused before, or is a taking of the lease.
    Put { who: Who, reply: Reply },
    /// A worker dies.
    Crash { worker: usize },
    /// A person's request is read.
    Request(Wish),
    /// The sweeper looks.
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
            mode: session::Mode::PlanningControl,
            run: self.with_task.then(|| new_run(1)),
        };
        let now = crate::world::at(0);
        let change = create(&new, now);
        let book = Book::beginning_with(&change);
        let state = self.after_lost_workers(change.state, now);
        let mut world = World {
            tick: 0,
            due: self.due(&state),
            queue: vec![],
            workers: [Worker::default(), Worker::default()],
            handlers: [None, None, None, None],
            budget: self.budget,
            book,
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
                let who = Who::Handler(i);
                actions.extend(replies(world).map(|reply| Action::Put { who, reply }));
            }
        }
        actions.extend(
            crate::people::wishes(world)
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
        world.forget_old_entries();
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
            (budget.burials > 0, Action::Bury { message }),
        ];
        let happens = happens.into_iter().filter(|(may, _)| *may);
        actions.extend(happens.map(|(_, action)| action));
    }
}

fn replies(world: &World) -> impl Iterator<Item = Reply> + use<> {
    let lossy = world.budget.lost_replies > 0;
    let all = [Reply::Heard, Reply::Repeated, Reply::Lost];
    all.into_iter().take(if lossy { 3 } else { 1 })
}

impl Protocol {
    fn after_lost_workers(&self, mut state: State, now: Timestamp) -> State {
        for _ in 0..self.lost_workers {
            let run = state.run.as_ref().expect("there is a task");
            let taken = Wish::Take {
                run: run.id,
                until: now,
                at: run.position,
            };
            for wish in [taken, Wish::Recover] {
                let append = Append::new(wish, &Arc::new(state), now);
                state = self.decide(&append).expect("nothing is in the way").state;
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
            let who = Who::Worker(worker);
            actions.extend(replies(world).map(|reply| Action::Put { who, reply }));
            return;
        }
        let budget = &world.budget;
        let moves = [
            (true, Move::Bring(Outcome::Natural, false)),
            (budget.hand_backs > 0, Move::Bring(Outcome::Natural, true)),
            (budget.hand_backs > 0, Move::TimeUp),
            (budget.delays > 0, Move::Bring(Outcome::Again, false)),
            (budget.failures > 0, Move::Bring(Outcome::Fail, false)),
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
            Action::Bury { message } => return self.bury(world, message),
            Action::Work {
                worker,
                then,
                reply,
            } => {
                spend_on(world, then);
                self.step(world, worker, then);
                self.put_for(world, Who::Worker(worker), reply);
            }
            Action::Put { who, reply } => self.put_for(world, who, reply),
            Action::Crash { worker } => {
                world.budget.crashes -= 1;
                self.crash(world, worker);
            }
            Action::Request(wish) => return self.request(world, wish),
            Action::Sweep => return self.sweep(world),
            Action::Tick => {
                world.budget.ticks -= 1;
                self.tick(world);
            }
        }
        Some(())
    }

    fn put_for(&self, world: &mut World, who: Who, reply: Reply) {
        if reply != Reply::Heard {
            world.budget.lost_replies -= 1;
        }
        match who {
            Who::Worker(i) => self.worker_puts(world, i, reply),
            Who::Handler(i) => self.handler_puts(world, i, reply),
        }
    }

    fn bury(&self, world: &mut World, message: usize) -> Option<()> {
        if world.handlers[DEAD_LETTERS].is_some() {
            return None;
        }
        world.budget.burials -= 1;
        match world.queue.remove(message) {
            Message::Wake(run, epoch) => self.dead_letter(world, run, epoch),
            Message::Purge => Some(()),
        }
    }
}

fn spend_on(world: &mut World, then: Move) {
    let budget = &mut world.budget;
    match then {
        Move::TimeUp => budget.hand_backs -= 1,
        Move::Bring(outcome, yield_lease) => {
            budget.hand_backs -= u8::from(yield_lease);
            match outcome {
                Outcome::Natural => {}
                Outcome::Again => budget.delays -= 1,
                Outcome::Fail => budget.failures -= 1,
            }
        }
    }
}
