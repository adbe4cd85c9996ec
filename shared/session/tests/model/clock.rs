//! The clock, and the sweeper that does due actions.
//!
//! A worker lives longer than its lease, a handler for two ticks. The purge waits until every
//! function that began before the delete was committed has ended.

use session::DueAction;

use crate::Protocol;
use crate::world::{Message, World};

/// The life of a handler in ticks; its clock is read at its start.
const HANDLER_LIFE: u32 = 2;

impl Protocol {
    /// Time passes. Functions at the end of their life die.
    pub fn tick(&self, world: &mut World) {
        world.tick += 1;
        for i in 0..world.workers.len() {
            let born = world.workers[i].job.as_ref().map(|job| job.born);
            if born.is_some_and(|born| born + self.life <= world.tick) {
                self.crash(world, i);
            }
        }
        for i in 0..world.handlers.len() {
            let born = world.handlers[i].as_ref().map(|handler| handler.born);
            if born.is_some_and(|born| born + HANDLER_LIFE <= world.tick) {
                world.handlers[i] = None;
                world
                    .log
                    .forget_commit_ids(crate::world::Writer::Handler(i));
            }
        }
    }

    /// Whether the sweeper finds the session in the due index.
    pub fn is_overdue(&self, world: &World) -> bool {
        world.due.is_some_and(|due| due <= world.now())
    }

    /// The sweeper reads an overdue session.
    pub fn sweep(&self, world: &mut World) -> Option<()> {
        match self.rules.recover(world.state(), world.now()) {
            Some(DueAction::Purge) if world.queue.contains(&Message::Purge) => None,
            Some(DueAction::Purge) => {
                world.send(Message::Purge);
                Some(())
            }
            Some(_) => self.recover(world),
            None => {
                world.due = self.due(world.state());
                Some(())
            }
        }
    }
}
