//! An append to the log, as the session manager does it.
//!
//! `Rules::decide` is the production function. The rest models the table: a put succeeds only at a
//! free position. The first lost race returns the entry at the position, a later one the newest
//! entry. The writer recognises its own entry by the commit id.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use session::{
    ApprovalAnswer, ApprovalId, Change, Command, Epoch, NewRun, Position, Refusal, RunId, State,
    Timestamp,
};
use uuid::Uuid;

use crate::Protocol;
use crate::engine::{OPTIONS, Outcome, Plan, approval_id};
use crate::log::Entry;
use crate::mutation::Mutation;
use crate::view::View;
use crate::world::{World, Writer};

/// The small form of a command, from which the command is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
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
    Commit(StageResult),
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

/// The outcome of a stage that a worker commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageResult {
    pub run: RunId,
    pub epoch: Epoch,
    pub at: Position,
    pub outcome: Outcome,
    pub yield_lease: bool,
    /// The option that answered the approval of the stage, if any.
    pub answered: Option<usize>,
    /// The number of the next approval, if the stage requests one.
    pub approval: u8,
}

/// What happens to the reply to a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The caller receives it.
    Received,
    /// It is lost, and the SDK repeats the put.
    Repeated,
    /// It is lost, and the caller gets an error.
    Lost,
}

/// An append that has not ended.
#[derive(Debug, Clone)]
pub struct Append {
    pub request: Request,
    /// The state that it is decided on.
    pub base: Arc<State>,
    /// The time when it began. The clock is not read again.
    pub now: Timestamp,
    /// Whether it has lost a race.
    pub lost: bool,
    /// Whether it is committed and its reply was lost.
    pub committed: bool,
}

/// The result of one put.
#[derive(Debug)]
pub enum Put {
    /// The change is committed, with this state.
    Committed(Arc<State>),
    Refused(Refusal),
    /// The put lost a race or its reply; it is tried again.
    Retry,
    /// The caller does not know whether the change is committed.
    Unknown,
}

impl Append {
    pub fn new(request: Request, base: &Arc<State>, now: Timestamp) -> Self {
        Self {
            request,
            base: Arc::clone(base),
            now,
            lost: false,
            committed: false,
        }
    }

    pub fn describe(&self, view: &View<'_>, writer: Writer, into: &mut impl Hasher) {
        (self.lost, self.committed, view.age(self.now)).hash(into);
        view.base(&self.base, writer, self.lost, into);
        std::mem::discriminant(&self.request).hash(into);
        match &self.request {
            Request::Start { run } | Request::Resume { run } => run.hash(into),
            Request::Cancel { run } => run.hash(into),
            Request::Answer { approval, option } => (approval, option).hash(into),
            Request::Take { run, until, at } => (run, view.time(*until), at).hash(into),
            Request::Commit(step) => {
                (step.run, view.epoch(step.epoch), step.at, step.outcome).hash(into);
                (step.yield_lease, step.answered, step.approval).hash(into);
            }
            Request::YieldLease { run, epoch } | Request::DeadLetter { run, epoch } => {
                (run, view.epoch(*epoch)).hash(into);
            }
            Request::Suspend | Request::Delete | Request::Recover => {}
        }
    }
}

impl Protocol {
    /// Tries to append once.
    pub fn put(&self, world: &mut World, writer: Writer, append: &mut Append, reply: Reply) -> Put {
        let change = match self.decide(append) {
            Ok(change) => change,
            Err(refusal) => {
                world.observer.refused(append);
                return Put::Refused(refusal);
            }
        };
        let position = append.base.last_seq.plus(1);
        if let Some(entry) = world.log.at(position).filter(|_| self.checks_position()) {
            if entry.commit == Some(writer) && self.mutation != Some(Mutation::CommitNotRecognised)
            {
                return Put::Committed(Arc::clone(&entry.state));
            }
            let newer = if append.lost {
                world.log.newest()
            } else {
                entry
            };
            append.base = Arc::clone(&newer.state);
            append.lost = true;
            return Put::Retry;
        }
        let state = self.commit_entry(world, writer, append, change);
        match reply {
            Reply::Received => Put::Committed(state),
            Reply::Repeated => {
                append.committed = true;
                Put::Retry
            }
            Reply::Lost => Put::Unknown,
        }
    }

    fn commit_entry(
        &self,
        world: &mut World,
        writer: Writer,
        append: &Append,
        change: Change,
    ) -> Arc<State> {
        world.observer.observe(&world.log, writer, append, &change);
        let state = Arc::new(change.state);
        world.log.put(Entry {
            first: append.base.last_seq.plus(1),
            state: Arc::clone(&state),
            commit: Some(writer),
        });
        world.due = self.due(world.state());
        state
    }

    /// Decides the request with the production function, or with a mutation of it.
    pub fn decide(&self, append: &Append) -> Result<Change, Refusal> {
        let command = self.command(&append.request, append.now);
        match self.mutation {
            Some(mutation) => mutation.decide(&self.rules, &append.base, command, append.now),
            None => self.rules.decide(&append.base, &command, append.now),
        }
    }

    fn command(&self, request: &Request, now: Timestamp) -> Command {
        match *request {
            Request::Start { run } => Command::StartRun(new_run(run)),
            Request::Suspend => Command::Suspend { run: None },
            Request::Resume { run } => Command::Resume {
                run: None,
                context: None,
                takeover: Some(new_run(run)),
            },
            Request::Cancel { run } => Command::Cancel { run: Some(run) },
            Request::Answer { approval, option } => Command::Answer(ApprovalAnswer {
                approval,
                resolution: OPTIONS[option].into(),
                feedback: None,
                modifications: None,
                by: "ada".into(),
            }),
            Request::Delete => Command::Delete,
            Request::Take { run, until, at } => Command::TakeLease {
                run,
                until,
                at,
                opening: Plan::opening(at),
            },
            Request::Commit(step) => Command::Commit {
                run: step.run,
                epoch: step.epoch,
                progress: self.plan.progress(
                    step.at,
                    step.outcome,
                    step.answered.map(|option| OPTIONS[option]),
                    approval_id(step.approval),
                    now.plus(self.rules.approval_ttl),
                ),
                yield_lease: step.yield_lease,
            },
            Request::YieldLease { run, epoch } => Command::YieldLease { run, epoch },
            Request::Recover => Command::Recover,
            Request::DeadLetter { run, epoch } => Command::DeadLetter { run, epoch },
        }
    }
}

/// Returns the id of the n-th run.
pub fn run_id(n: u8) -> RunId {
    RunId::new(Uuid::from_u128(n.into()))
}

/// Returns the n-th run.
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
