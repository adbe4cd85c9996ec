//! The file that a client's path names.
//!
//! The owner comes from the session's newest entry, and the bucket is asked in the folder of that
//! owner and session. What is no path, another owner's, deleted or unknown looks the same.

use documents::{ArtifactKey, Artifacts, FilePath, SessionFiles};
use lambda_kit::api::Parameter;
use lambda_kit::http::Query;
use lambda_kit::{App, Code, Problem, Request};
use session_manager::{Actor, ReadError, RunAnswer};

use crate::is_answer;

/// A path of a session of the caller. Whether the file exists is not known yet.
#[derive(Debug)]
pub struct FoundFile {
    /// The path, as the client gave it.
    pub path: FilePath,
    /// The files of its session.
    pub files: SessionFiles,
    actor: Actor,
}

/// The file of `?path`, by one read of the table.
///
/// # Errors
/// `unauthenticated`, `invalid_query` without a path, `file_not_found`, `unavailable`.
pub async fn find(
    app: &App,
    artifacts: &Artifacts,
    request: &Request,
) -> Result<FoundFile, Problem> {
    let actor = app.client(request)?;
    let path: String = Query::of(request).required("path", "the path of a file")?;
    let path: FilePath = path.parse().map_err(|_| file_not_found())?;
    let state = app.sessions.state(path.session, &actor).await;
    let state = state.map_err(|error| match error {
        ReadError::NoSuchSession => file_not_found(),
        error => error.into(),
    })?;
    Ok(FoundFile {
        files: artifacts.of(&state.owner, path.session),
        path,
        actor,
    })
}

/// The run's answer, if the path names one: for a file that the bucket does not have.
///
/// # Errors
/// `file_not_found`, `unavailable`.
pub async fn find_answer(app: &App, file: &FoundFile) -> Result<RunAnswer, Problem> {
    let ArtifactKey::Run(run, name) = &file.path.key else {
        return Err(file_not_found());
    };
    if !is_answer(name) {
        return Err(file_not_found());
    }
    let run = match app.sessions.find_run(&file.actor, *run).await {
        Ok(run) if run.session() == file.path.session => run,
        Ok(_) | Err(ReadError::NoSuchRun) => return Err(file_not_found()),
        Err(error) => return Err(error.into()),
    };
    let answer = app.sessions.run_answer(&run).await?;
    answer.ok_or_else(file_not_found)
}

/// `path`, for the documents of the API.
pub fn path_parameter() -> Parameter {
    Parameter::word::<String>(
        "path",
        "The `file_path` of a list, or `<session id>/uploads/<name>`.",
    )
    .required()
}

/// The answer for every path without a file.
fn file_not_found() -> Problem {
    Problem::new(Code::FileNotFound, "There is no such file.")
}
