//! How a command changes a session: the table of the contract's section 4, as one pure function.
//!
//! `client` holds the commands of clients, `worker` those of workers, `clock` those of the sweeper
//! and of the dead-letter function. All use a `ChangeBuilder`, which assigns the seq of each event,
//! counts messages and updates timestamps.

mod change_builder;
mod client;
mod clock;
mod worker;

use change_builder::ChangeBuilder;

use crate::{
    Change, Command, EventBody, Lease, NewSession, Phase, PushTurn, Refusal, Rules, SCHEMA, Seq,
    SessionStatus, State, Timestamp,
};

/// How many leases in a row may end without a commit of work. The next worker fails the run.
pub const MAX_ATTEMPTS: u32 = 5;

/// The largest number of hops of a run. A run above it is taken for an endless loop. A plan of 50
/// steps stays below it with one message a step and every retry put off.
pub const MAX_HOPS: u32 = 1_000;

impl Rules {
    /// Decides how `command` changes `state` at `now`.
    ///
    /// # Errors
    /// A [`Refusal`]; the session is then unchanged.
    pub fn decide(
        &self,
        state: &State,
        command: &Command,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        if state.is_deleted() {
            return Err(Refusal::NoSuchSession);
        }
        let change = ChangeBuilder::on(state, now);
        let mut change = match command {
            Command::StartRun(run) => client::start_run(change, run),
            Command::Suspend { run } => client::suspend(change, *run),
            Command::Resume {
                run,
                context,
                takeover,
            } => client::resume(change, *run, context.as_deref(), takeover.as_ref()),
            Command::Cancel { run } => client::cancel(change, *run),
            Command::Answer(answer) => client::answer(change, answer),
            Command::Delete => Ok(client::delete(change)),
            Command::TakeLease {
                run,
                until,
                at,
                opening,
            } => worker::take_lease(change, *run, *until, *at, opening),
            Command::Commit {
                run,
                epoch,
                progress,
                yield_lease,
            } => worker::commit(change, *run, *epoch, progress, *yield_lease),
            Command::YieldLease { run, epoch } => worker::yield_lease(change, *run, *epoch),
            Command::Recover => clock::recover(change, self),
            Command::DeadLetter { run, epoch } => clock::dead_letter(change, *run, *epoch),
        }?;
        change.state.push = Some(match command {
            Command::TakeLease { .. } => PushTurn::at_once(true, now),
            Command::Commit { .. } | Command::YieldLease { .. } => {
                PushTurn::after(state.push, true, now)
            }
            _ => PushTurn::after(state.push, false, now),
        });
        Ok(change)
    }
}

/// Returns the first change of a new session, with its first run if it has one.
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
        last_message: None,
        runs: 0,
        run: None,
        approval: None,
        lease: Lease::default(),
        push: Some(PushTurn::at_once(false, now)),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let mut change = ChangeBuilder::on(&empty, now);
    match &new.run {
        Some(run) => change.begin_run(run),
        None => change.push(
            None,
            EventBody::Status {
                message: "Session created.".into(),
                session_id: new.id,
            },
        ),
    }
    change.done()
}

#[cfg(test)]
mod tests;
