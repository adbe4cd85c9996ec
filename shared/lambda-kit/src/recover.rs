//! What the sweeper and the dead letters have in common: look at the newest entry, and do what is overdue.
//!
//! Both may come late, twice, or for nothing: what is not owed any more changes nothing.

use session::{Command, DueAction, Refusal, SessionId, Timestamp, Wake};
use session_manager::{Actor, ChangeError, Overdue, ReadError, SessionManager};

use crate::{Outbox, Problem, QueueMessage};

/// What was done for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing is owed.
    Nothing,
    /// This was overdue, and was done.
    Did(DueAction),
    /// The run whose message nobody could handle has failed.
    FailedRun,
}

/// Does what is overdue for a session: sends a message again, or lets a question or an idle session lapse. Is nothing
/// overdue, then the session's place in the index is out of date, and is corrected.
///
/// # Errors
/// `unavailable` when the table does not answer; the debt stays, and so does its time.
pub async fn recover(
    sessions: &SessionManager,
    outbox: &Outbox,
    overdue: &Overdue,
    now: Timestamp,
) -> Result<Recovered, Problem> {
    let session = overdue.session;
    let state = match sessions.state(session, &Actor::System).await {
        Ok(state) => state,
        // The last entry of a deleted session has left by its TTL, and the rest of it is still there.
        Err(ReadError::NoSuchSession) => return Ok(purge(outbox, session).await),
        Err(error) => return Err(error.into()),
    };
    let Some(owed) = sessions.rules().recover(&state, now) else {
        sessions.reschedule(overdue, &state).await?;
        return Ok(Recovered::Nothing);
    };
    if owed == DueAction::Purge {
        return Ok(purge(outbox, session).await);
    }
    let done = apply(sessions, outbox, session, &Command::Recover, now).await?;
    Ok(if done {
        Recovered::Did(owed)
    } else {
        Recovered::Nothing
    })
}

async fn purge(outbox: &Outbox, session: SessionId) -> Recovered {
    outbox.enqueue(QueueMessage::Purge(session)).await;
    Recovered::Did(DueAction::Purge)
}

/// Fails the run that a dead letter speaks of, unless the letter is old news.
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

/// Whether the command changed anything.
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
        // Somebody was first, or it is gone: either way nothing is owed here.
        Err(ChangeError::Refused(Refusal::NotDue | Refusal::NoSuchSession, _)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
