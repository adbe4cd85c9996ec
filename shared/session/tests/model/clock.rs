//! Time, and the sweeper that does what is overdue.
//!
//! The clock's steps are short beside a lease, and no function lives longer than its time: a worker longer than its lease,
//! a handler until the step after next. The purge waits until whoever may have begun before a delete landed is gone.

use session::DueAction;

use crate::Protocol;
use crate::world::{Message, World};

/// How long a handler lives: its clock was read before its append by that much.
const HANDLER_LIFE: u32 = 2;

impl Protocol {
    /// Time passes; who is too old dies.
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
                world.log.disown(crate::world::Who::Handler(i));
            }
        }
    }

    /// Whether the sweeper finds the session in its index.
    pub fn is_overdue(&self, world: &World) -> bool {
        world.due.is_some_and(|due| due <= world.now())
    }

    /// The sweeper looks at a session that is overdue.
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
