//! The first frame: a task becomes a run, once. The same task with the same task id is attached to
//! that run.

use lambda_kit::task::{continued, mode_of};
use lambda_kit::websocket::ReplyContext;
use lambda_kit::{ClientConfig, Code, Problem, Task, now};
use session::{Mode, NewSession, Refusal, Seq, SessionId, State, TaskId, Timestamp, digest};
use session_manager::{
    ChangeError, Committed, NewSessionRows, ReadError, RequestKey, RequestKeyItem,
};
use uuid::Uuid;

use crate::forms::SessionKeys;
use crate::frame_context::FrameContext;

/// How much of a task's first line is the default name of its session, in characters.
const NAME_CHARS: usize = 60;

const KNOWN: &str = "The task is known; what became of it follows.";
const UNFINISHED: &str = "The session's run has not ended; the connection follows it.";

/// Starts a run in a new or an existing session, or attaches to the run of the same task id.
pub async fn answer(
    frame: &FrameContext<'_>,
    task: &Task,
    config: &ClientConfig,
) -> Result<(), Problem> {
    let text = frame.connection.task_id.clone();
    let task_id = TaskId {
        digest: digest(&[&text]),
        text,
    };
    let key = RequestKey::task(frame.connection.owner.clone(), &task_id, task.text());
    let now = now();
    // Task id and text alone decide, so they are looked up before the config is read.
    if let Some(record) = known(frame, &key, now).await? {
        return attach_known(frame, &key, &record).await;
    }
    let first = First {
        task,
        config,
        task_id,
        key: &key,
        now,
    };
    let keys: SessionKeys = config.read()?;
    let started = match session_of(&keys)? {
        Some(session) => {
            let state = frame.state(session).await?;
            if state.unfinished_run().is_some() {
                return attach_unfinished(frame, &state).await;
            }
            go_on(frame, &first, state).await?
        }
        None => begin(frame, &first, keys.session_name).await?,
    };
    match started {
        Ok(committed) => {
            let context = ReplyContext::state(&committed.state);
            let followed = frame.follow(committed.state.session_id, context.run).await;
            // The commit is published to the other followers even if this connection cannot follow.
            frame.deps.outbox.publish(&committed, now).await;
            if let Err(problem) = followed {
                // The run has begun, so the frame is not refused: sent again, it attaches.
                problem.log();
                frame.reply(&context.error(&problem, now)).await;
            }
            Ok(())
        }
        // Another connection was first with the same task id.
        Err(ChangeError::KeyTaken(record)) => attach_known(frame, &key, &record).await,
        // Another connection has started a run of the session meanwhile.
        Err(ChangeError::Refused(Refusal::RunUnfinished { .. }, Some(state))) => {
            attach_unfinished(frame, &state).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A task that was not sent before.
struct First<'a> {
    task: &'a Task,
    config: &'a ClientConfig,
    task_id: TaskId,
    key: &'a RequestKey,
    now: Timestamp,
}

type Started = Result<Committed, ChangeError>;

/// A new session with its first run.
async fn begin(
    frame: &FrameContext<'_>,
    first: &First<'_>,
    given_name: Option<String>,
) -> Result<Started, Problem> {
    let models = &frame.deps.models;
    let mode = mode_of(first.config)?.unwrap_or(Mode::OneShot);
    let settings = models.settings_to_start(mode, &first.config.value()?)?;
    let id = SessionId::new(Uuid::now_v7());
    let new = NewSession {
        id,
        owner: frame.connection.owner.clone(),
        mode,
        run: Some(first.task.run(
            &settings,
            models.of_run(&settings),
            Some(first.task_id.clone()),
        )),
    };
    let rows = NewSessionRows {
        name: given_name.unwrap_or_else(|| default_name(first.task)),
        config: first.config.clone().into_text(),
        run_config: Some(first.config.over(&ClientConfig::default(), id)?.into_text()),
    };
    let sessions = &frame.deps.app.sessions;
    if let Some(run) = &new.run
        && let Err(refused) = sessions.reserve_run(&new.owner, run.id, first.now).await
    {
        return Ok(Err(refused));
    }
    Ok(sessions
        .create(&new, &rows, Some(first.key), first.now)
        .await)
}

/// A further run in an existing session.
async fn go_on(
    frame: &FrameContext<'_>,
    first: &First<'_>,
    state: State,
) -> Result<Started, Problem> {
    let (sessions, models) = (&frame.deps.app.sessions, &frame.deps.models);
    let stored = ClientConfig::stored(sessions.config(state.session_id).await?);
    let config = continued(&state, first.config, &stored)?;
    let settings = models.settings_to_start(state.mode, &config.value()?)?;
    let run = first.task.run(
        &settings,
        models.of_run(&settings),
        Some(first.task_id.clone()),
    );
    let (config, key) = (config.into_text(), Some(first.key));
    if let Err(refused) = sessions.admit_run(&state, &run, key, first.now).await {
        return Ok(Err(refused));
    }
    Ok(sessions
        .start_run(state, &run, Some(&config), key, first.now)
        .await)
}

/// The item of a used task id. A deleted session frees its task ids.
async fn known(
    frame: &FrameContext<'_>,
    key: &RequestKey,
    now: Timestamp,
) -> Result<Option<RequestKeyItem>, Problem> {
    let sessions = &frame.deps.app.sessions;
    let Some(record) = sessions.request_key(key, now).await? else {
        return Ok(None);
    };
    match sessions.state(record.session_id, &frame.actor()).await {
        Ok(_) => Ok(Some(record)),
        Err(ReadError::NoSuchSession) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Attaches to the run of a known task.
async fn attach_known(
    frame: &FrameContext<'_>,
    key: &RequestKey,
    record: &RequestKeyItem,
) -> Result<(), Problem> {
    if !key.is_same_request(record) {
        let detail = "The task id was used before, for another task.";
        return Err(Problem::new(Code::TaskIdReused, detail));
    }
    let context = ReplyContext {
        session: Some(record.session_id),
        run: record.run_id,
    };
    let sessions = &frame.deps.app.sessions;
    let first = sessions
        .first_event(record.session_id, record.run_id)
        .await?;
    attach(frame, context, record.session_id, KNOWN, before(first)).await
}

/// Attaches to the unfinished run of a session: clients name the session after a reload.
async fn attach_unfinished(frame: &FrameContext<'_>, state: &State) -> Result<(), Problem> {
    let first = state.unfinished_run().map(|run| run.first_seq);
    let context = ReplyContext::state(state);
    let after = before(first);
    attach(frame, context, state.session_id, UNFINISHED, after).await
}

/// The `after` of a replay that begins with this event.
fn before(first: Option<Seq>) -> Seq {
    Seq(first.map_or(0, |first| first.0.saturating_sub(1)))
}

/// Follows a session behind a replay of its record after an event. The run has begun, so an error
/// does not refuse the frame: sent again, it attaches.
async fn attach(
    frame: &FrameContext<'_>,
    context: ReplyContext,
    session: SessionId,
    message: &str,
    after: Seq,
) -> Result<(), Problem> {
    let attached = async {
        let replay = frame.follow_behind(session, context.run, after).await?;
        frame.reply(&context.attached(message, now())).await;
        frame.replay(replay, context).await
    };
    if let Err(problem) = attached.await {
        problem.log();
        frame.reply(&context.error(&problem, now())).await;
    }
    Ok(())
}

/// The session that a config continues, if it names one.
fn session_of(keys: &SessionKeys) -> Result<Option<SessionId>, Problem> {
    // Clients send an empty id before they have one: it counts as absent.
    let given = [&keys.copilot_session_id, &keys.session_id]
        .into_iter()
        .flatten();
    let mut given = given.filter(|id| !id.trim().is_empty());
    // A text that is no id names no session.
    let id = given
        .next()
        .map(|id| id.parse().map_err(|_| Refusal::NoSuchSession));
    Ok(id.transpose()?)
}

/// The beginning of the first line that is not blank.
fn default_name(task: &Task) -> String {
    let mut lines = task.text().lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty()).unwrap_or_default();
    line.chars()
        .take(NAME_CHARS)
        .collect::<String>()
        .trim_end()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
    const OTHER: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

    fn named(config: &str) -> Result<Option<String>, Code> {
        let config = config.replace("OTHER", OTHER).replace("ID", ID);
        let keys = ClientConfig::stored(config).read();
        keys.and_then(|keys| session_of(&keys))
            .map(|id| id.map(|id| id.to_string()))
            .map_err(|problem| problem.code())
    }

    #[test]
    fn a_config_names_a_session_by_either_key_and_an_empty_one_is_absent() {
        for (config, session) in [
            ("{}", Ok(None)),
            (r#"{"copilotSessionId": "", "session_id": " "}"#, Ok(None)),
            (r#"{"session_id": "ID"}"#, Ok(Some(ID))),
            (
                r#"{"copilotSessionId": "ID", "session_id": "OTHER"}"#,
                Ok(Some(ID)),
            ),
            (
                r#"{"copilotSessionId": "", "session_id": "OTHER"}"#,
                Ok(Some(OTHER)),
            ),
            (
                r#"{"copilotSessionId": null, "session_id": "OTHER"}"#,
                Ok(Some(OTHER)),
            ),
            (r#"{"session_id": "x"}"#, Err(Code::SessionNotFound)),
            (r#"{"copilotSessionId": 7}"#, Err(Code::InvalidField)),
        ] {
            let expected = session.map(|id| id.map(str::to_owned));
            assert_eq!(named(config), expected, "{config}");
        }
    }

    #[test]
    fn a_session_is_named_by_the_beginning_of_its_tasks_first_line() {
        let named = |text: &str| default_name(&Task::new(Some(text.into())).unwrap());
        assert_eq!(
            named("\n  Explain the tides.  \nIn short."),
            "Explain the tides."
        );
        assert_eq!(named(&"é".repeat(100)), "é".repeat(60));
        assert_eq!(
            named(&format!("{} {}", "x".repeat(59), "y")),
            "x".repeat(59)
        );
    }
}
