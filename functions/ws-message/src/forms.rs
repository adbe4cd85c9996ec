//! The frames that a client sends, as they are read and documented: `infra/asyncapi.json` is made
//! from these types.

use lambda_kit::api::{Modifications, RunConfig};
use lambda_kit::json::{self, Reference};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use session::{ApprovalId, Mode, Seq, SessionId};

pub use lambda_kit::websocket::ReplyFrame;

/// The first frame: do this. The same task under the same task id again shows what became of it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FirstFrame {
    /// What is to be done.
    #[schemars(required, regex(pattern = r"\S"))]
    pub(crate) task: Option<String>,
    #[schemars(with = "Option<FirstConfig>")]
    pub(crate) config: Option<Box<RawValue>>,
}

/// How a first task is done, and in which session. In a session that stands it goes over the
/// session's own config, key by key.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the parts of `config`, which are read one by one")]
struct FirstConfig {
    /// The mode of the new session; `one-shot` without it.
    mode: Option<Mode>,
    #[schemars(flatten)]
    session: SessionKeys,
    #[schemars(flatten)]
    run: RunConfig,
}

/// The keys of a first frame's `config` that choose its session.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionKeys {
    /// The name of the new session.
    #[serde(default, deserialize_with = "json::name")]
    #[schemars(length(max = json::MAX_NAME))]
    pub(crate) session_name: Option<String>,
    /// The session to continue; an empty text counts as none.
    pub(crate) copilot_session_id: Option<String>,
    /// The same under its other name.
    #[serde(rename = "session_id")]
    pub(crate) session_id: Option<String>,
}

/// A further frame, by its `type`.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case")]
pub enum TypedFrame {
    /// Are you there, and what is the last event?
    Ping,
    /// Send what happened in a session, and what will.
    Subscribe(SubscribeFrame),
    /// Where does the followed session stand, and what happened after that event?
    RequestState(RequestStateFrame),
    /// An answer to a question of the followed session: `resolution`, or else `approved`.
    ApprovalResponse(AnswerFrame),
    /// `approval_response` under its other name.
    ResolveApproval(AnswerFrame),
    /// Stop after the current step.
    Pause(RunFrame),
    /// Go on.
    Resume(RunFrame),
    /// End the run.
    Cancel(RunFrame),
}

/// A session, and what the client has of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SubscribeFrame {
    /// Which session.
    pub(crate) session_id: Reference<SessionId>,
    /// The last event that the client has; 0 without it.
    pub(crate) after: Option<Seq>,
}

/// What the client has of the followed session.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct RequestStateFrame {
    /// The last event that the client has; 0 without it.
    pub(crate) after: Option<Seq>,
}

/// A run of the followed session.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct RunFrame {
    /// The followed session's unfinished run without it, or with the connection's own task id.
    pub(crate) run_id: Option<String>,
}

/// A person's answer: `resolution`, or else `approved`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AnswerFrame {
    /// Which question.
    pub(crate) approval_id: Reference<ApprovalId>,
    /// One of the approval's options; `approved`, `rejected` and `modified` are synonyms.
    pub(crate) resolution: Option<String>,
    /// The positive or the negative option, whatever it is called.
    pub(crate) approved: Option<bool>,
    /// In the person's words.
    pub(crate) feedback: Option<String>,
    #[schemars(with = "Option<GivenModifications>")]
    pub(crate) modifications: Option<Value>,
}

/// What replaces what was asked about.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the two forms of a value that is read as it is")]
enum GivenModifications {
    /// An object.
    Object(Modifications),
    /// The text of one, as older clients send it.
    Text(String),
}

/// A frame's name, an example of it, and what it is answered with beside the events of the record
/// and `error`.
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
        replies: &["status", "replay_end", "workflow_failed"],
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
        replies: &["approval_received", "approval_requested"],
    },
    FrameSpec {
        name: "resolve_approval",
        example: r#"{"type": "resolve_approval", "approval_id": "01936e5c-b3f4-7d08-a1c5-3b7e9f2d4a60", "resolution": "skip"}"#,
        replies: &["approval_received", "approval_requested"],
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
