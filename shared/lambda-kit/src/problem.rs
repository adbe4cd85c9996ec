//! The errors that a client gets, and the one table of their codes and HTTP statuses.
//!
//! A problem has a sentence for the client and a cause for the log. The sentence never has an
//! internal message. HTTP sends a problem as status and body, a WebSocket as an `error` event.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use session::{Refusal, RunId};
use workflow::{FieldError, RunSettingsError};

macro_rules! codes {
    ($($variant:ident $word:literal $status:literal $when:literal;)*) => {
        /// The word for programs; each has one HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the words say it")]
        pub enum Code {
            $($variant,)*
        }

        impl Code {
            /// Every code, in the order of the statuses.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As clients see it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// When it is answered, for the documents of the API.
            pub const fn when(self) -> &'static str {
                match self { $(Self::$variant => $when,)* }
            }
        }
    };
}

codes! {
    MalformedJson "malformed_json" 400 "The body or frame is not JSON, or a text in it has half of a surrogate pair; the sentence names the field.";
    BadCursor "bad_cursor" 400 "Not a cursor of this list and filter.";
    BadTaskId "bad_task_id" 400 "`?task_id=` is missing or too long; the connection is refused.";
    Unauthenticated "unauthenticated" 401 "No verified token, or a frame on a connection that is over.";
    SessionNotFound "session_not_found" 404 "The session does not exist, was deleted, or belongs to another owner.";
    RunNotFound "run_not_found" 404 "The session has no such run.";
    ApprovalNotFound "approval_not_found" 404 "The session has no such approval.";
    FileNotFound "file_not_found" 404 "`path` names no file of a session of the caller.";
    SessionNotActive "session_not_active" 409 "Suspend of a session that is not active.";
    SessionNotSuspended "session_not_suspended" 409 "Resume of a session that is not suspended.";
    RunCannotPause "run_cannot_pause" 409 "Suspend of a live run in a mode without resume: cancel it.";
    ModeWithoutResume "mode_without_resume" 409 "Resume in a mode without it.";
    ModeCannotContinue "mode_cannot_continue" 409 "A further task after a completed one, in a mode that completes one alone.";
    ApprovalOpen "approval_open" 409 "Resume while an answer is awaited.";
    ApprovalResolved "approval_resolved" 409 "It was answered before, with another resolution, feedback or modifications; the sentence says by whom and with what.";
    ApprovalCancelled "approval_cancelled" 409 "Its run was cancelled before an answer.";
    NothingToResume "nothing_to_resume" 409 "No run is paused or failed.";
    RunUnfinished "run_unfinished" 409 "A session does one run at a time.";
    RunEnded "run_ended" 409 "Cancel of a run that has ended.";
    TaskIdReused "task_id_reused" 409 "The task id was used for another task.";
    NoSessionFollowed "no_session_followed" 409 "A frame that needs a followed session.";
    ApprovalExpired "approval_expired" 410 "The answer comes too late.";
    TooLarge "too_large" 413 "Task, config or `modifications` above 64 KiB, `additional_context`, `feedback` or frame above 32 KiB, body above 1 MiB; upload above 100 MiB; an answer or addition whose event has more than 128 KiB of JSON.";
    NotText "not_text" 415 "The file is no UTF-8 text; `GET /api/files/download` has it.";
    InvalidField "invalid_field" 422 "A field of the wrong type or value, or `config` or `modifications` that nest more than 32 deep.";
    InvalidConfig "invalid_config" 422 "A key of `config` of the wrong type or value, or a budget for a model without a price.";
    InvalidQuery "invalid_query" 422 "A query value that is missing or out of its range, or a parameter given twice.";
    ModeMismatch "mode_mismatch" 422 "`config.mode` is not the session's mode.";
    EmptyTask "empty_task" 422 "No task, or white space.";
    NotAnOption "not_an_option" 422 "The answer is none of the approval's options.";
    InvalidAnswer "invalid_answer" 422 "The answer lacks what its option needs, or its plan does not fit; the sentence names the place, and the approval stays open.";
    KeyReused "idempotency_key_reused" 422 "The key was used with another body.";
    UnknownFrame "unknown_frame" 422 "A frame of no known type.";
    TooManyReplays "too_many_replays" 429 "A frame that asks a connection's replay to go back, more than ten times at once and then once a second.";
    TooManyRuns "too_many_runs" 429 "As many runs of the caller are queued or running as the deployment allows; `retry-after` says when to ask again.";
    BudgetSpent "budget_spent" 429 "The caller's runs have cost what the deployment allows in a day; `retry-after` says when that is renewed, at midnight UTC.";
    TooManyBytes "too_many_bytes" 429 "The caller's uploads have as many bytes as the deployment allows in a day; `retry-after` says when that is renewed, at midnight UTC.";
    Internal "internal" 500 "A fault of our own.";
    Unavailable "unavailable" 503 "DynamoDB or another service did not answer, or ten tries lost against other changes.";
}

impl Code {
    /// The code of this word, if clients may see it.
    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.word() == word)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> = Self::ALL.iter().map(|code| code.word()).collect();
        json_schema!({"description": "The word for programs.", "type": "string", "enum": words})
    }
}

/// The reason why a request fails.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    code: Code,
    detail: String,
    run_id: Option<RunId>,
    retry_after: Option<Duration>,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// A problem as a reply's body.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemBody<'a> {
    /// A sentence for people.
    detail: &'a str,
    code: Code,
    /// As `x-request-id` has it.
    request_id: &'a str,
    /// The run that stands in the way, with `run_unfinished`.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
}

impl Problem {
    /// A problem that is the client's own, with a sentence for it.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            run_id: None,
            retry_after: None,
            cause: None,
        }
    }

    /// A service did not answer as it should; another try may help.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "The service cannot do this at the moment; please try again.";
        Self::new(Code::Unavailable, detail).because(cause)
    }

    /// A fault of the server; another try will not help.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "Something went wrong on our side.";
        Self::new(Code::Internal, detail).because(cause)
    }

    /// A field, of a body or a frame, that is not what it must be.
    pub fn field(name: &str, must: impl std::fmt::Display) -> Self {
        FieldError::new(name, must).into()
    }

    fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Says when another try may succeed.
    pub(crate) const fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// The value of `retry-after`, in whole seconds.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|time| time.as_secs().max(1))
    }

    /// The word for programs.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.code.status()
    }

    /// The run that stands in the way, if one does.
    pub const fn run_id(&self) -> Option<RunId> {
        self.run_id
    }

    pub(crate) fn body<'a>(&'a self, request_id: &'a str) -> ProblemBody<'a> {
        ProblemBody {
            detail: &self.detail,
            code: self.code,
            request_id,
            run_id: self.run_id,
        }
    }

    /// Logs the problem: the client's faults as `info`, all others as `error` with their causes.
    pub fn log(&self) {
        let (status, code) = (self.status(), self.code.word());
        if status < 500 {
            tracing::info!(status, code, "refused");
            return;
        }
        let causes = causes(self);
        tracing::error!(status, code, causes, "failed");
    }
}

/// The causes of an error, for the log: the texts of its sources, the nearest first.
pub fn causes(error: &dyn Error) -> String {
    std::iter::successors(error.source(), |&cause| cause.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let Some(code) = Code::of_word(refusal.code()) else {
            // Refusals of workers and of the clock: no client's command brings them.
            return Self::internal(refusal);
        };
        let mut problem = Self::new(code, refusal.to_string());
        if let Refusal::RunUnfinished { run_id, .. } = refusal {
            problem.run_id = Some(run_id);
        }
        problem
    }
}

impl From<RunSettingsError> for Problem {
    fn from(error: RunSettingsError) -> Self {
        Self::new(Code::InvalidConfig, error.to_string())
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Self::new(Code::InvalidField, error.to_string())
    }
}

impl From<serde_json::Error> for Problem {
    /// For values of our own: [`crate::JsonObject`] reads what a client sends.
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{Mode, RunStatus, SessionStatus};

    #[test]
    fn every_refusal_that_a_client_can_meet_has_its_status() {
        let run_id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        for (refusal, status) in [
            (Refusal::NoSuchSession, 404),
            (Refusal::NoSuchRun, 404),
            (Refusal::NoSuchApproval, 404),
            (Refusal::NotActive(SessionStatus::Completed), 409),
            (Refusal::CancelInstead(Mode::OneShot), 409),
            (Refusal::NotSuspended(SessionStatus::Active), 409),
            (Refusal::NoResume(Mode::Ocr), 409),
            (Refusal::ApprovalOpen, 409),
            (Refusal::NothingToResume, 409),
            (
                Refusal::RunUnfinished {
                    run_id,
                    status: RunStatus::Paused,
                },
                409,
            ),
            (Refusal::CannotContinue(Mode::OneShot), 409),
            (Refusal::RunEnded(RunStatus::Failed), 409),
            (Refusal::NotAnOption("approve, reject".into()), 422),
            (Refusal::ApprovalLapsed, 410),
            (Refusal::Overtaken, 500),
        ] {
            let problem = Problem::from(refusal.clone());
            assert_eq!(problem.status(), status, "{refusal}");
            if status < 500 {
                assert_eq!(problem.code().word(), refusal.code());
                assert_eq!(problem.to_string(), refusal.to_string());
            }
        }
    }

    #[test]
    fn a_body_names_the_run_in_the_way_and_never_the_cause() {
        let run_id: RunId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let status = RunStatus::Running;
        let refused = Problem::from(Refusal::RunUnfinished { run_id, status });
        let body = serde_json::to_value(refused.body("r-1")).unwrap();
        assert_eq!(body["run_id"], run_id.to_string());
        assert_eq!(body["request_id"], "r-1");
        assert_eq!(body["code"], "run_unfinished");

        let failed = Problem::unavailable("table Sessions of account 123 throttled");
        let body = serde_json::to_string(&failed.body("r-2")).unwrap();
        assert!(!body.contains("throttled"), "{body}");
        assert_eq!(failed.status(), 503);
    }
}
