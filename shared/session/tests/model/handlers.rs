//! The functions other than the executor, which read the session, decide and append.
//!
//! Two handlers serve clients. Both may answer the same approval differently at the same time. A
//! request that is refused on the first read changes nothing, and is left out.

use session::{Epoch, RunId};

use crate::Protocol;
use crate::append::{Append, Put, Reply, Request};
use crate::world::{
    Budget, CLIENT_HANDLERS, DEAD_LETTERS, Handler, Message, SWEEPER, World, Writer,
};

/// Returns the client requests that are possible now, within the budget.
pub fn possible_requests(world: &World) -> Vec<Request> {
    let Some(_) = free_handler(world) else {
        return vec![];
    };
    let (state, budget) = (world.state(), &world.budget);
    let mut possible_requests = vec![];
    let mut may = |left: u8, request: Request| {
        if left > 0 {
            possible_requests.push(request);
        }
    };
    let next_run = world.observer.runs + 1;
    may(budget.tasks, Request::Start { run: next_run });
    may(budget.suspends, Request::Suspend);
    may(budget.resumes, Request::Resume { run: next_run });
    may(budget.deletes, Request::Delete);
    if let Some(run) = state.unfinished_run() {
        may(budget.cancels, Request::Cancel { run: run.id });
    }
    if let Some(open) = &state.approval {
        for (option, left) in budget.answers.into_iter().enumerate() {
            let approval = open.id;
            may(left, Request::Answer { approval, option });
        }
    }
    possible_requests
}

fn free_handler(world: &World) -> Option<usize> {
    CLIENT_HANDLERS
        .into_iter()
        .find(|i| world.handlers[*i].is_none())
}

fn budget_of(request: Request, budget: &mut Budget) -> Option<&mut u8> {
    Some(match request {
        Request::Start { .. } => &mut budget.tasks,
        Request::Suspend => &mut budget.suspends,
        Request::Resume { .. } => &mut budget.resumes,
        Request::Cancel { .. } => &mut budget.cancels,
        Request::Answer { option, .. } => &mut budget.answers[option],
        Request::Delete => &mut budget.deletes,
        _ => return None,
    })
}

impl Protocol {
    /// Starts a client's request: reads the session and decides once.
    pub fn request(&self, world: &mut World, request: Request) -> Option<()> {
        let index = free_handler(world)?;
        let append = Append::new(request, world.state(), world.now());
        self.decide(&append).ok()?;
        *budget_of(request, &mut world.budget)? -= 1;
        world.handlers[index] = Some(Handler {
            append,
            born: world.tick,
        });
        Some(())
    }

    /// Tries the append of a handler once.
    pub fn handler_puts(&self, world: &mut World, i: usize, reply: Reply) {
        let Some(mut handler) = world.handlers[i].take() else {
            return;
        };
        let put = self.put(world, Writer::Handler(i), &mut handler.append, reply);
        let request = handler.append.request;
        match put {
            Put::Retry => {
                world.handlers[i] = Some(handler);
                return;
            }
            Put::Committed(state) => {
                if let Some(wake) = state.wake(handler.append.now) {
                    world.send(Message::Wake(wake.run_id, wake.epoch));
                }
            }
            // The dead letter is delivered again, the client may repeat its request, and the
            // sweeper reads the session again.
            Put::Unknown => match request {
                Request::DeadLetter { run, epoch } => world.send(Message::Wake(run, epoch)),
                _ => {
                    if let Some(left) = budget_of(request, &mut world.budget) {
                        *left += 1;
                    }
                }
            },
            Put::Refused(_) => {}
        }
        world.log.forget_commit_ids(Writer::Handler(i));
    }

    /// The queue gives up a message.
    pub fn dead_letter(&self, world: &mut World, run: RunId, epoch: Epoch) -> Option<()> {
        self.begin_append(world, DEAD_LETTERS, Request::DeadLetter { run, epoch })
    }

    /// The sweeper begins an append.
    pub fn recover(&self, world: &mut World) -> Option<()> {
        self.begin_append(world, SWEEPER, Request::Recover)
    }

    fn begin_append(&self, world: &mut World, i: usize, request: Request) -> Option<()> {
        if world.handlers[i].is_some() {
            return None;
        }
        let append = Append::new(request, world.state(), world.now());
        world.handlers[i] = self.decide(&append).is_ok().then_some(Handler {
            append,
            born: world.tick,
        });
        Some(())
    }
}
