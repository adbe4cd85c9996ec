//! A client's task and its run, over REST and WebSocket.

use serde::Deserialize;
use session::{Mode, NewRun, RunId, State, TaskId};
use uuid::Uuid;
use workflow::{RunSettings, clip_message, is_long};

use crate::{ClientConfig, Code, Problem};

/// The longest task, in bytes.
const MAX_TASK: usize = 64 * 1024;

/// A task that can be a run's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task(String);

impl Task {
    /// Accepts a text that is neither empty nor too long; no text counts as empty.
    ///
    /// # Errors
    /// `empty_task` for white space, `too_large` above 64 KiB.
    pub fn new(text: Option<String>) -> Result<Self, Problem> {
        let text = text.unwrap_or_default();
        if text.trim().is_empty() {
            return Err(Problem::new(Code::EmptyTask, "The task is empty."));
        }
        if text.len() > MAX_TASK {
            return Err(Problem::new(
                Code::TooLarge,
                "The task is larger than 64 KiB.",
            ));
        }
        Ok(Self(text))
    }

    /// The whole of it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether its message has only the beginning, so that an artifact must have the whole.
    pub fn is_long(&self) -> bool {
        is_long(&self.0)
    }

    /// A run of this task, with a new id. `model` is the one of the run's agent.
    pub fn run(&self, settings: &RunSettings, model: &str, task_id: Option<TaskId>) -> NewRun {
        NewRun {
            id: RunId::new(Uuid::now_v7()),
            task: clip_message(&self.0).to_owned(),
            artifact: None,
            task_id,
            agent: settings.agent().to_owned(),
            model: model.to_owned(),
        }
    }
}

/// The config of a further run in a session: the client's, over the session's own.
///
/// # Errors
/// `mode_mismatch` when it names another mode than the session's.
pub fn continued(
    state: &State,
    own: &ClientConfig,
    session: &ClientConfig,
) -> Result<ClientConfig, Problem> {
    match mode_of(own)? {
        Some(mode) if mode != state.mode => {
            let detail = format!("The session's mode is {}, not {mode}.", state.mode);
            Err(Problem::new(Code::ModeMismatch, detail))
        }
        _ => own.over(session, state.session_id),
    }
}

/// The `mode` of a config, if it names one.
///
/// # Errors
/// `invalid_field` for a mode that does not exist.
pub fn mode_of(config: &ClientConfig) -> Result<Option<Mode>, Problem> {
    #[derive(Deserialize)]
    struct Named {
        mode: Option<Mode>,
    }
    Ok(config.read::<Named>()?.mode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use workflow::MAX_MESSAGE_BYTES;

    fn task(text: impl Into<String>) -> Result<Task, Problem> {
        Task::new(Some(text.into()))
    }

    #[test]
    fn a_task_is_text_of_some_length() {
        assert_eq!(Task::new(None).unwrap_err().code(), Code::EmptyTask);
        assert_eq!(task(" \n\t\u{2003}").unwrap_err().code(), Code::EmptyTask);
        assert_eq!(
            task("x".repeat(MAX_TASK + 1)).unwrap_err().code(),
            Code::TooLarge
        );
        assert!(task("x".repeat(MAX_TASK)).unwrap().is_long());
    }

    #[test]
    fn a_run_shows_who_answers_and_holds_whole_characters_of_the_beginning() {
        let config = serde_json::json!({"agent": "engineer"});
        let settings = RunSettings::parse(Mode::OneShot, &config).unwrap();
        let long = task(format!("x{}", "é".repeat(20_000))).unwrap();
        let run = long.run(&settings, "offline/extract-1", None);
        assert!(long.is_long() && run.task.len() == MAX_MESSAGE_BYTES - 1);
        assert_eq!(
            (run.agent.as_str(), run.model.as_str()),
            ("engineer", "offline/extract-1")
        );
    }

    #[test]
    fn a_config_cannot_name_a_mode_that_does_not_exist() {
        let config = ClientConfig::stored(r#"{"mode": "one-shoe"}"#.into());
        assert_eq!(mode_of(&config).unwrap_err().status(), 422);
    }
}
