//! Recovery, for the sweeper and the dead letters: reads the newest entry and does what is overdue.
//!
//! Both may run late, twice or without need: where nothing is due, nothing changes.

use session::{Command, DueAction, OwnerId, Refusal, SessionId, Timestamp, Wake};
use session_manager::{Actor, ChangeError, Overdue, ReadError, SessionManager};

use crate::{Outbox, Problem, QueueMessage};

/// The result for one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing was due.
    Nothing,
    /// This was overdue and is done.
    Did(DueAction),
    /// The run of a dead letter has failed.
    FailedRun,
}

/// Does what is overdue for a session: sends a message again, or ends an approval or an idle
/// session. When nothing is overdue, the session's place in the index is old and is corrected.
///
/// # Errors
/// `unavailable` when the table does not answer; the session stays due.
pub async fn recover(
    sessions: &SessionManager,
    outbox: &Outbox,
    overdue: &Overdue,
    now: Timestamp,
) -> Result<Recovered, Problem> {
    let session = overdue.session;
    let state = match sessions.state(session, &Actor::System).await {
        Ok(state) => state,
        // The log of a deleted session has expired, and its other items are still there.
        Err(ReadError::NoSuchSession) => return Ok(purge(outbox, session, None).await),
        Err(error) => return Err(error.into()),
    };
    let Some(owed) = sessions.rules().recover(&state, now) else {
        sessions.reschedule(overdue, &state).await?;
        return Ok(Recovered::Nothing);
    };
    if owed == DueAction::Purge {
        return Ok(purge(outbox, session, Some(&state.owner)).await);
    }
    let done = apply(sessions, outbox, session, &Command::Recover, now).await?;
    Ok(if done {
        Recovered::Did(owed)
    } else {
        Recovered::Nothing
    })
}

async fn purge(outbox: &Outbox, session: SessionId, owner: Option<&OwnerId>) -> Recovered {
    outbox.enqueue(QueueMessage::Purge(session), owner).await;
    Recovered::Did(DueAction::Purge)
}

/// Fails the run of a dead letter, unless the run has gone on since.
///
/// # Errors
/// As [`recover`].
pub async fn dead_letter(
    sessions: &SessionManager,
    outbox: &Outbox,
    letter: Wake,
    now: Timestamp,
) -> Result<Recovered, Problem> {
    let command = Command::DeadLetter {
        run: letter.run_id,
        epoch: letter.epoch,
    };
    let done = apply(sessions, outbox, letter.session_id, &command, now).await?;
    Ok(if done {
        Recovered::FailedRun
    } else {
        Recovered::Nothing
    })
}

/// Returns whether the command changed the session.
async fn apply(
    sessions: &SessionManager,
    outbox: &Outbox,
    session: SessionId,
    command: &Command,
    now: Timestamp,
) -> Result<bool, Problem> {
    match sessions.change(session, &Actor::System, command, now).await {
        Ok(committed) => {
            outbox.publish(&committed, now).await;
            Ok(true)
        }
        // Another process was first, or the session is gone: nothing is due.
        Err(ChangeError::Refused(Refusal::NotDue | Refusal::NoSuchSession, _)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
