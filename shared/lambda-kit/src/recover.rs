//! Recovery, for the sweeper and the dead letters: reads the newest entry and does what is overdue.
//!
//! Both may run late, twice or without need: where nothing is due, nothing changes.

use std::time::Duration;

use session::{Command, DueAction, OwnerId, Refusal, SessionId, Timestamp, Wake};
use session_manager::{Actor, ChangeError, Overdue, ReadError, SessionManager};

use crate::{Outbox, Problem, QueueMessage, causes};

/// The first pause of a session that cannot be recovered: as long as one of the sweeper.
const FAILURE_PAUSE: Duration = Duration::from_secs(60);

/// The first pause before the message of a purge is sent again. A purge that goes on sends its own
/// messages; one that was lost is sent again four times within the hour of its promise.
const PURGE_PAUSE: Duration = Duration::from_secs(5 * 60);

/// The result for one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing was due.
    Nothing,
    /// This was overdue and is done.
    Did(DueAction),
    /// It failed, as it did before, and was put off again.
    PutOff,
    /// The run of a dead letter has failed.
    FailedRun,
}

/// Does what is overdue for a session: sends a message again, or ends an approval or an idle
/// session. When nothing is overdue, the session's place in the index is old and is corrected. A
/// session that fails is put off, and so is one whose purge was sent.
///
/// # Errors
/// Why the session failed, for the first time or while it cannot be put off.
pub async fn recover(
    sessions: &SessionManager,
    outbox: &Outbox,
    overdue: &Overdue,
    now: Timestamp,
) -> Result<Recovered, Problem> {
    let problem = match try_recover(sessions, outbox, overdue, now).await {
        Ok(Recovered::Did(DueAction::Purge)) => {
            sessions.put_off(overdue, PURGE_PAUSE, now).await?;
            return Ok(Recovered::Did(DueAction::Purge));
        }
        Ok(recovered) => return Ok(recovered),
        Err(problem) => problem,
    };
    let put_off = sessions.put_off(overdue, FAILURE_PAUSE, now).await;
    match (overdue.put_off_since, put_off) {
        (Some(since), Ok(())) => {
            tracing::warn!(%since, code = problem.code().word(), causes = causes(&problem), "fails again");
            Ok(Recovered::PutOff)
        }
        _ => Err(problem),
    }
}

async fn try_recover(
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use session::State;

    use super::*;
    use crate::Code;
    use crate::testing::Wire;
    use crate::testing::wire::{after, entry, found, idle};

    const DAY: Duration = Duration::from_secs(24 * 3600);

    /// Recovers a session a day after its start. The newest entry has this attribute, and the table
    /// answers these operations alone.
    async fn recovered(
        state: &State,
        (name, value): (&str, &str),
        put_off_since: Option<Timestamp>,
        answered: &[&'static str],
    ) -> Result<Recovered, Code> {
        let mut newest = entry(state);
        newest[name] = Value::from(value);
        let reply = |operation| match operation {
            "Query" => (operation, found(std::slice::from_ref(&newest))),
            write => (write, json!({})),
        };
        let wire = Wire::new(answered.iter().map(|operation| reply(*operation)));
        let app = wire.app();
        let overdue = Overdue {
            session: state.session_id,
            since: state.created_at,
            put_off_since,
        };
        let now = state.created_at.plus(DAY);
        let recovered = recover(&app.sessions, &wire.outbox(&app), &overdue, now).await;
        assert_eq!(wire.asked()[..answered.len()], *answered);
        recovered.map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_session_that_cannot_be_read_is_reported_once_and_put_off() {
        let (state, broken) = (idle(), ("state", "{"));
        let put_off = ["Query", "UpdateItem"];
        let first = recovered(&state, broken, None, &put_off).await;
        assert_eq!(first, Err(Code::Internal));
        let before = Some(state.created_at);
        let again = recovered(&state, broken, before, &put_off).await;
        assert_eq!(again, Ok(Recovered::PutOff));
        let not_put_off = recovered(&state, broken, before, &["Query"]).await;
        assert_eq!(not_put_off, Err(Code::Internal));
    }

    #[tokio::test]
    async fn a_session_whose_events_cannot_be_read_is_recovered() {
        let broken = ("events", "[");
        let operations = ["Query", "Query", "TransactWriteItems"];
        let expired = recovered(&idle(), broken, None, &operations).await;
        assert_eq!(expired, Ok(Recovered::Did(DueAction::ExpireIdle)));
    }

    #[tokio::test]
    async fn a_purge_is_sent_and_put_off() {
        let deleted = after(&idle(), &Command::Delete);
        let sent = recovered(&deleted, ("events", "["), None, &["Query", "UpdateItem"]).await;
        assert_eq!(sent, Ok(Recovered::Did(DueAction::Purge)));
    }
}
