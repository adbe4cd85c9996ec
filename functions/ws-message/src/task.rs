//! The first frame: a task becomes a run, once. The same task under the same task id again is shown what became of it.

use lambda_kit::task::{continued, mode_of};
use lambda_kit::{ClientConfig, Code, Problem, Task, now};
use session::{Mode, NewSession, Refusal, SessionId, TaskId, Timestamp, digest};
use session_manager::{
    ChangeError, Committed, NewSessionRows, ReadError, RequestKey, RequestKeyItem,
};
use uuid::Uuid;

use crate::frame_context::FrameContext;
use crate::reply::ReplyContext;

/// How much of a task id a session's name shows, in characters.
const NAME_CHARS: usize = 13;

/// Starts a run, in a new session or a named one, or attaches to the one that the task id stands for.
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
    // The text alone decides, so it is looked for before anything of the config can be wrong.
    if let Some(record) = known(frame, &key, now).await? {
        return attach(frame, &key, &record).await;
    }
    let first = First {
        task,
        config,
        task_id,
        key: &key,
        now,
    };
    let started = match session_of(config)? {
        Some(session) => go_on(frame, &first, session).await?,
        None => begin(frame, &first).await?,
    };
    match started {
        Ok(committed) => {
            let context = ReplyContext::state(&committed.state);
            let followed = frame.follow(committed.state.session_id, context.run).await;
            // The commit stands, and is told to everybody else even if this connection could not be made to follow.
            frame.deps.outbox.publish(&committed, now).await;
            followed
        }
        // Another socket was faster with the same task id.
        Err(ChangeError::KeyTaken(record)) => attach(frame, &key, &record).await,
        Err(error) => Err(error.into()),
    }
}

/// A task that comes for the first time.
struct First<'a> {
    task: &'a Task,
    config: &'a ClientConfig,
    task_id: TaskId,
    key: &'a RequestKey,
    now: Timestamp,
}

type Started = Result<Committed, ChangeError>;

/// A new session with its first run.
async fn begin(frame: &FrameContext<'_>, first: &First<'_>) -> Result<Started, Problem> {
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
        name: name(first, mode)?,
        config: first.config.clone().into_text(),
        run_config: Some(first.config.over(&ClientConfig::default(), id)?.into_text()),
    };
    Ok(frame
        .deps
        .app
        .sessions
        .create(&new, &rows, Some(first.key), first.now)
        .await)
}

/// A further run in a session that stands.
async fn go_on(
    frame: &FrameContext<'_>,
    first: &First<'_>,
    session: SessionId,
) -> Result<Started, Problem> {
    let (sessions, models, actor) = (&frame.deps.app.sessions, &frame.deps.models, frame.actor());
    let state = sessions.state(session, &actor).await?;
    let stored = ClientConfig::stored(sessions.config(session).await?);
    let config = continued(&state, first.config, &stored)?;
    let settings = models.settings_to_start(state.mode, &config.value()?)?;
    let run = first.task.run(
        &settings,
        models.of_run(&settings),
        Some(first.task_id.clone()),
    );
    let (config, key) = (config.into_text(), Some(first.key));
    Ok(sessions
        .start_run(state, &run, Some(&config), key, first.now)
        .await)
}

/// What the task id stands for. A session that was deleted sets it free again.
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

/// Shows what became of a task: the record from its beginning, then what still happens.
async fn attach(
    frame: &FrameContext<'_>,
    key: &RequestKey,
    record: &RequestKeyItem,
) -> Result<(), Problem> {
    if !key.is_same_request(record) {
        let detail = "The task id was used before, for another task.";
        return Err(Problem::new(Code::TaskIdReused, detail));
    }
    let (session, run) = (record.session_id, record.run_id);
    frame.follow(session, run).await?;
    let context = ReplyContext {
        session: Some(session),
        run,
    };
    frame.reply(&context.attached(now())).await;
    frame.replay(context, session, session::Seq(0)).await
}

/// The session that a config continues, if it names one.
fn session_of(config: &ClientConfig) -> Result<Option<SessionId>, Problem> {
    let keys = config.fields()?;
    // An empty id is absent, wherever it stands: clients send it before they have one.
    for key in ["copilotSessionId", "session_id"] {
        if let Some(id) = keys.text(key)?.filter(|id| !id.trim().is_empty()) {
            // What is no id names no session.
            return Ok(Some(id.parse().map_err(|_| Refusal::NoSuchSession)?));
        }
    }
    Ok(None)
}

fn name(first: &First<'_>, mode: Mode) -> Result<String, Problem> {
    let given = first.config.fields()?.name("sessionName")?;
    Ok(given.unwrap_or_else(|| {
        let beginning: String = first.task_id.text.chars().take(NAME_CHARS).collect();
        format!("{mode}_{beginning}")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
    const OTHER: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

    fn named(config: &str) -> Result<Option<String>, Code> {
        let config = config.replace("OTHER", OTHER).replace("ID", ID);
        session_of(&ClientConfig::stored(config))
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
}
