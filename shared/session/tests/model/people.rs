//! What people want, through functions that read the session, decide and append.
//!
//! There are two of them, on equal terms: both may answer the same question, differently, while the other one is on the way.
//! A wish that is refused on what was read changes nothing, and is left out.

use session::{Epoch, RunId};

use crate::Protocol;
use crate::append::{Append, Put, Reply, Wish};
use crate::world::{Budget, DEAD_LETTERS, Handler, Message, PEOPLE, SWEEPER, Who, World};

/// All that a person may want now, as far as there is a budget for it.
pub fn wishes(world: &World) -> Vec<Wish> {
    let Some(_) = free_desk(world) else {
        return vec![];
    };
    let (state, budget) = (world.state(), &world.budget);
    let mut wishes = vec![];
    let mut may = |left: u8, wish: Wish| {
        if left > 0 {
            wishes.push(wish);
        }
    };
    let next_run = world.book.runs + 1;
    may(budget.tasks, Wish::Start { run: next_run });
    may(budget.suspends, Wish::Suspend);
    may(budget.resumes, Wish::Resume { run: next_run });
    may(budget.deletes, Wish::Delete);
    if let Some(run) = state.unfinished_run() {
        may(budget.cancels, Wish::Cancel { run: run.id });
    }
    if let Some(open) = &state.approval {
        for (option, left) in budget.answers.into_iter().enumerate() {
            let approval = open.id;
            may(left, Wish::Answer { approval, option });
        }
    }
    wishes
}

fn free_desk(world: &World) -> Option<usize> {
    PEOPLE.into_iter().find(|i| world.handlers[*i].is_none())
}

fn budget_of(wish: Wish, budget: &mut Budget) -> Option<&mut u8> {
    Some(match wish {
        Wish::Start { .. } => &mut budget.tasks,
        Wish::Suspend => &mut budget.suspends,
        Wish::Resume { .. } => &mut budget.resumes,
        Wish::Cancel { .. } => &mut budget.cancels,
        Wish::Answer { option, .. } => &mut budget.answers[option],
        Wish::Delete => &mut budget.deletes,
        _ => return None,
    })
}

impl Protocol {
    /// A person's request is read, and decided for the first time.
    pub fn request(&self, world: &mut World, wish: Wish) -> Option<()> {
        let desk = free_desk(world)?;
        let append = Append::new(wish, world.state(), world.now());
        self.decide(&append).ok()?;
        *budget_of(wish, &mut world.budget)? -= 1;
        world.handlers[desk] = Some(Handler {
            append,
            born: world.tick,
        });
        Some(())
    }

    /// The append of any function but the executor is tried once.
    pub fn handler_puts(&self, world: &mut World, i: usize, reply: Reply) {
        let Some(mut handler) = world.handlers[i].take() else {
            return;
        };
        let put = self.put(world, Who::Handler(i), &mut handler.append, reply);
        let wish = handler.append.wish;
        match put {
            Put::Again => {
                world.handlers[i] = Some(handler);
                return;
            }
            Put::Stands(state) => {
                if let Some(wake) = state.wake(handler.append.now) {
                    world.send(Message::Wake(wake.run_id, wake.epoch));
                }
            }
            // A letter comes again, a person asks again, and the sweeper looks again without being asked.
            Put::Trouble => match wish {
                Wish::DeadLetter { run, epoch } => world.send(Message::Wake(run, epoch)),
                _ => {
                    if let Some(left) = budget_of(wish, &mut world.budget) {
                        *left += 1;
                    }
                }
            },
            Put::Refused(_) => {}
        }
        world.log.disown(Who::Handler(i));
    }

    /// The queue gave a message up.
    pub fn dead_letter(&self, world: &mut World, run: RunId, epoch: Epoch) -> Option<()> {
        self.on_duty(world, DEAD_LETTERS, Wish::DeadLetter { run, epoch })
    }

    /// The clock's function begins an append.
    pub fn recover(&self, world: &mut World) -> Option<()> {
        self.on_duty(world, SWEEPER, Wish::Recover)
    }

    fn on_duty(&self, world: &mut World, i: usize, wish: Wish) -> Option<()> {
        if world.handlers[i].is_some() {
            return None;
        }
        let append = Append::new(wish, world.state(), world.now());
        world.handlers[i] = self.decide(&append).is_ok().then_some(Handler {
            append,
            born: world.tick,
        });
        Some(())
    }
}
