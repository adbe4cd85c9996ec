//! One change on its way into the log, as `append.rs` of the session manager makes it.
//!
//! `Rules::decide` is production's own. Around it stands what the table does: a put succeeds only where the place is free;
//! a refused one brings the entry in place, the first time, and the newest one after that; the writer's own entry is known
//! by the commit's id.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use session::{
    ApprovalAnswer, ApprovalId, Change, Command, Epoch, NewRun, Position, Refusal, RunId, State,
    Timestamp,
};
use uuid::Uuid;

use crate::Protocol;
use crate::broken::Broken;
use crate::engine::{OPTIONS, Outcome, Plan, question_id};
use crate::log::Entry;
use crate::view::View;
use crate::world::{Who, World};

/// What somebody wants of the session: enough to make the command, and small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Start {
        run: u8,
    },
    Suspend,
    Resume {
        run: u8,
    },
    Cancel {
        run: RunId,
    },
    Answer {
        approval: ApprovalId,
        option: usize,
    },
    Delete,
    Take {
        run: RunId,
        until: Timestamp,
        at: Position,
    },
    Commit(Step),
    YieldLease {
        run: RunId,
        epoch: Epoch,
    },
    Recover,
    DeadLetter {
        run: RunId,
        epoch: Epoch,
    },
}

/// What a worker brings from a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub run: RunId,
    pub epoch: Epoch,
    pub at: Position,
    pub outcome: Outcome,
    pub yield_lease: bool,
    /// The option that was chosen where a person was asked.
    pub answered: Option<usize>,
    /// The number of the question that is asked, if one is.
    pub question: u8,
}

/// How the reply to a put fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It is heard.
    Heard,
    /// It is lost, and the SDK puts the same again.
    Repeated,
    /// It is lost for good: the caller is told of trouble.
    Lost,
}

/// A change on its way.
#[derive(Debug, Clone)]
pub struct Append {
    pub wish: Wish,
    /// What it is decided on.
    pub base: Arc<State>,
    /// The clock when it began; it is not asked again.
    pub now: Timestamp,
    /// Whether a race was lost before.
    pub lost: bool,
    /// Whether it stands already, and the reply was lost.
    pub stands: bool,
}

/// What came of one put.
#[derive(Debug)]
pub enum Put {
    /// The commit stands, with this state.
    Stands(Arc<State>),
    Refused(Refusal),
    /// Somebody was first, or the reply was lost: the same again.
    Again,
    /// The caller does not know whether it stands.
    Trouble,
}

impl Append {
    pub fn new(wish: Wish, base: &Arc<State>, now: Timestamp) -> Self {
        Self {
            wish,
            base: Arc::clone(base),
            now,
            lost: false,
            stands: false,
        }
    }

    pub fn describe(&self, view: &View<'_>, who: Who, into: &mut impl Hasher) {
        (self.lost, self.stands, view.age(self.now)).hash(into);
        view.base(&self.base, who, self.lost, into);
        std::mem::discriminant(&self.wish).hash(into);
        match &self.wish {
            Wish::Start { run } | Wish::Resume { run } => run.hash(into),
            Wish::Cancel { run } => run.hash(into),
            Wish::Answer { approval, option } => (approval, option).hash(into),
            Wish::Take { run, until, at } => (run, view.time(*until), at).hash(into),
            Wish::Commit(step) => {
                (step.run, view.epoch(step.epoch), step.at, step.outcome).hash(into);
                (step.yield_lease, step.answered, step.question).hash(into);
            }
            Wish::YieldLease { run, epoch } | Wish::DeadLetter { run, epoch } => {
                (run, view.epoch(*epoch)).hash(into);
            }
            Wish::Suspend | Wish::Delete | Wish::Recover => {}
        }
    }
}

impl Protocol {
    /// Tries once to append.
    pub fn put(&self, world: &mut World, who: Who, append: &mut Append, reply: Reply) -> Put {
        let change = match self.decide(append) {
            Ok(change) => change,
            Err(refusal) => {
                world.book.refused(append);
                return Put::Refused(refusal);
            }
        };
        let place = append.base.last_seq.plus(1);
        if let Some(entry) = world.log.at(place).filter(|_| self.minds_the_place()) {
            if entry.commit == Some(who) && self.broken != Some(Broken::CommitNotRecognised) {
                return Put::Stands(Arc::clone(&entry.state));
            }
            let newer = if append.lost {
                world.log.newest()
            } else {
                entry
            };
            append.base = Arc::clone(&newer.state);
            append.lost = true;
            return Put::Again;
        }
        let state = self.land(world, who, append, change);
        match reply {
            Reply::Heard => Put::Stands(state),
            Reply::Repeated => {
                append.stands = true;
                Put::Again
            }
            Reply::Lost => Put::Trouble,
        }
    }

    fn land(&self, world: &mut World, who: Who, append: &Append, change: Change) -> Arc<State> {
        world.book.note(&world.log, who, append, &change);
        let state = Arc::new(change.state);
        world.log.put(Entry {
            first: append.base.last_seq.plus(1),
            state: Arc::clone(&state),
            commit: Some(who),
        });
        world.due = self.due(world.state());
        state
    }

    /// What production decides, on this wish; or a version of it that was broken on purpose.
    pub fn decide(&self, append: &Append) -> Result<Change, Refusal> {
        let command = self.command(&append.wish, append.now);
        match self.broken {
            Some(broken) => broken.decide(&self.rules, &append.base, command, append.now),
            None => self.rules.decide(&append.base, &command, append.now),
        }
    }

    fn command(&self, wish: &Wish, now: Timestamp) -> Command {
        match *wish {
            Wish::Start { run } => Command::StartRun(new_run(run)),
            Wish::Suspend => Command::Suspend { run: None },
            Wish::Resume { run } => Command::Resume {
                run: None,
                context: None,
                takeover: Some(new_run(run)),
            },
            Wish::Cancel { run } => Command::Cancel { run: Some(run) },
            Wish::Answer { approval, option } => Command::Answer(ApprovalAnswer {
                approval,
                resolution: OPTIONS[option].into(),
                feedback: None,
                modifications: None,
                by: "ada".into(),
            }),
            Wish::Delete => Command::Delete,
            Wish::Take { run, until, at } => Command::TakeLease {
                run,
                until,
                at,
                opening: Plan::opening(at),
            },
            Wish::Commit(step) => Command::Commit {
                run: step.run,
                epoch: step.epoch,
                progress: self.plan.progress(
                    step.at,
                    step.outcome,
                    step.answered.map(|option| OPTIONS[option]),
                    question_id(step.question),
                    now.plus(self.rules.approval_ttl),
                ),
                yield_lease: step.yield_lease,
            },
            Wish::YieldLease { run, epoch } => Command::YieldLease { run, epoch },
            Wish::Recover => Command::Recover,
            Wish::DeadLetter { run, epoch } => Command::DeadLetter { run, epoch },
        }
    }
}

/// The id of the n-th run.
pub fn run_id(n: u8) -> RunId {
    RunId::new(Uuid::from_u128(n.into()))
}

/// The n-th run.
pub fn new_run(n: u8) -> NewRun {
    NewRun {
        id: run_id(n),
        task: "count the lighthouses".into(),
        artifact: None,
        task_id: None,
        agent: "researcher".into(),
        model: "offline".into(),
    }
}
