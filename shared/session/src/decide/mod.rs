//! How a command changes a session: the table of the contract's section 4, as one pure function.
//!
//! Clients' commands are in `client`, the worker's in `worker`, the clock's in `clock`. All of them write into a `ChangeBuilder`,
//! which keeps the books: the seq of each event, the count of messages, the time of the last change of status.

mod change_builder;
mod client;
mod clock;
mod worker;

use change_builder::ChangeBuilder;

use crate::{
    Change, Command, EventBody, Lease, NewSession, Phase, Refusal, Rules, SCHEMA, Seq,
    SessionStatus, State, Timestamp,
};

/// How many workers in a row may die at the same place before the run fails: the next taking is refused.
pub const MAX_ATTEMPTS: u32 = 5;

/// How many messages may carry one run on; above it something turns in a circle. A plan of 50 steps at one message a
/// step, with every retry put off, stays below.
pub const MAX_HOPS: u32 = 1_000;

impl Rules {
    /// Decides what `command` makes of `state` at `now`.
    ///
    /// # Errors
    /// A [`Refusal`]; the session is then as it was.
    pub fn decide(
        &self,
        state: &State,
        command: &Command,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        if state.is_deleted() {
            return Err(Refusal::NoSuchSession);
        }
        let draft = ChangeBuilder::on(state, now);
        match command {
            Command::StartRun(run) => client::start_run(draft, run),
            Command::Suspend { run } => client::suspend(draft, *run),
            Command::Resume {
                run,
                context,
                takeover,
            } => client::resume(draft, *run, context.as_deref(), takeover.as_ref()),
            Command::Cancel { run } => client::cancel(draft, *run),
            Command::Answer(answer) => client::answer(draft, answer),
            Command::Delete => Ok(client::delete(draft)),
            Command::TakeLease {
                run,
                until,
                at,
                opening,
            } => worker::take_lease(draft, *run, *until, *at, opening),
            Command::Commit {
                run,
                epoch,
                progress,
                yield_lease,
            } => worker::commit(draft, *run, *epoch, progress, *yield_lease),
            Command::YieldLease { run, epoch } => worker::yield_lease(draft, *run, *epoch),
            Command::Recover => clock::recover(draft, self),
            Command::DeadLetter { run, epoch } => clock::dead_letter(draft, *run, *epoch),
        }
    }
}

/// The first entry of a new session, with its first task if it has one.
pub fn create(new: &NewSession, now: Timestamp) -> Change {
    let empty = State {
        schema: SCHEMA,
        session_id: new.id,
        owner: new.owner.clone(),
        mode: new.mode,
        status: SessionStatus::Active,
        phase: Phase::Init,
        current_step: None,
        suspend_reason: None,
        error: None,
        plan: None,
        last_seq: Seq(0),
        messages: 0,
        runs: 0,
        run: None,
        approval: None,
        lease: Lease::default(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let mut draft = ChangeBuilder::on(&empty, now);
    match &new.run {
        Some(run) => draft.begin_run(run),
        None => draft.push(
            None,
            EventBody::Status {
                message: "Session created.".into(),
                session_id: new.id,
            },
        ),
    }
    draft.done()
}

#[cfg(test)]
mod tests;
