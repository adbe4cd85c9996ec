//! The forms of the frames, for the documents of the API: `infra/asyncapi.json` is drawn up from them.
//!
//! `Frame::parse` reads a client's frame field by field, so that each mistake has its own sentence; a
//! test has it read the example of each form.

use lambda_kit::api::{Modifications, RunConfig};
use schemars::JsonSchema;
use session::{ApprovalId, Mode, RunId, Seq, SessionId};

pub use crate::reply::ReplyFrame;

/// The first frame: do this. The same task under the same task id again shows what became of it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "a form alone, which is never filled in")]
pub struct FirstFrame {
    /// What is to be done.
    #[schemars(regex(pattern = r"\S"))]
    task: String,
    config: Option<FirstConfig>,
}

/// How a first task is done, and in which session. In a session that stands it goes over the session's own config, key by key.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "a form alone, which is never filled in")]
struct FirstConfig {
    /// The mode of the new session; `one-shot` without it.
    mode: Option<Mode>,
    /// The name of the new session.
    #[schemars(length(max = 255))]
    session_name: Option<String>,
    /// The session to continue; an empty text counts as none.
    copilot_session_id: Option<String>,
    /// The same under its other name.
    #[schemars(rename = "session_id")]
    session_id: Option<String>,
    #[schemars(flatten)]
    config: RunConfig,
}

/// A further frame, by its `type`.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case")]
pub enum TypedFrame {
    /// Are you there, and what is the last event?
    Ping,
    /// Send what happened in a session, and what will.
    Subscribe {
        /// Which session.
        session_id: SessionId,
        /// The last event that the client has; 0 without it.
        after: Option<Seq>,
    },
    /// Where does the followed session stand, and what happened after that event?
    RequestState {
        /// The last event that the client has; 0 without it.
        after: Option<Seq>,
    },
    /// An answer to a question of the followed session: `resolution`, or else `approved`.
    ApprovalResponse(AnswerFrame),
    /// `approval_response` under its other name.
    ResolveApproval(AnswerFrame),
    /// Stop after the current step.
    Pause {
        /// The followed session's unfinished run without it.
        run_id: Option<RunId>,
    },
    /// Go on.
    Resume {
        /// The followed session's unfinished run without it.
        run_id: Option<RunId>,
    },
    /// End the run.
    Cancel {
        /// The followed session's unfinished run without it.
        run_id: Option<RunId>,
    },
}

/// A person's answer: `resolution`, or else `approved`.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "a form alone, which is never filled in")]
pub struct AnswerFrame {
    /// Which question.
    approval_id: ApprovalId,
    /// One of the approval's options; `approved`, `rejected` and `modified` are synonyms.
    resolution: Option<String>,
    /// The positive or the negative option, whatever it is called.
    approved: Option<bool>,
    /// In the person's words.
    feedback: Option<String>,
    modifications: Option<GivenModifications>,
}

/// What replaces what was asked about.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "a form alone, which is never filled in")]
enum GivenModifications {
    /// An object.
    Object(Modifications),
    /// The text of one, as older clients send it.
    Text(String),
}

/// A frame's name, an example of it, and what it is answered with beside the events of the record and `error`.
#[derive(Debug)]
pub struct FrameSpec {
    /// Its `type`; `task` for the first one, which has none.
    pub name: &'static str,
    /// JSON.
    pub example: &'static str,
    /// The `event_type` of each reply.
    pub replies: &'static [&'static str],
}

/// Every frame that a client can send.
pub const FORMS: &[FrameSpec] = &[
    FrameSpec {
        name: "task",
        example: r#"{"task": "Explain the tides. The moon pulls at the sea.", "config": {"mode": "planning-control"}}"#,
        replies: &["status", "replay_end"],
    },
    FrameSpec {
        name: "ping",
        example: r#"{"type": "ping"}"#,
        replies: &["pong"],
    },
    FrameSpec {
        name: "subscribe",
        example: r#"{"type": "subscribe", "session_id": "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17", "after": 13}"#,
        replies: &["replay_end"],
    },
    FrameSpec {
        name: "request_state",
        example: r#"{"type": "request_state", "after": 13}"#,
        replies: &["workflow_state_changed", "replay_end"],
    },
    FrameSpec {
        name: "approval_response",
        example: r#"{"type": "approval_response", "approval_id": "01936e5c-b3f4-7d08-a1c5-3b7e9f2d4a60", "approved": true}"#,
        replies: &["approval_received"],
    },
    FrameSpec {
        name: "resolve_approval",
        example: r#"{"type": "resolve_approval", "approval_id": "01936e5c-b3f4-7d08-a1c5-3b7e9f2d4a60", "resolution": "skip"}"#,
        replies: &["approval_received"],
    },
    FrameSpec {
        name: "pause",
        example: r#"{"type": "pause"}"#,
        replies: &[],
    },
    FrameSpec {
        name: "resume",
        example: r#"{"type": "resume"}"#,
        replies: &[],
    },
    FrameSpec {
        name: "cancel",
        example: r#"{"type": "cancel", "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20"}"#,
        replies: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Frame;

    #[test]
    fn every_example_is_read() {
        for form in FORMS {
            let read = Frame::parse(form.example);
            assert!(read.is_ok(), "{}: {read:?}", form.name);
        }
    }
}
