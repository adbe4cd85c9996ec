//! Parses a client's frames. A frame without a `type` is a task; any other `type` than those of the
//! contract is refused.

use lambda_kit::{AnswerBody, AnswerInput, ClientConfig, Code, JsonObject, Problem, Task};
use serde::Deserialize;
use session::{ApprovalId, Refusal, RunId, Seq, SessionId};

use crate::forms::{AnswerFrame, FirstFrame, RequestStateFrame, RunFrame, SubscribeFrame};

/// The largest frame, in bytes. API Gateway closes the connection on a larger one, an emulator may
/// not.
const MAX_FRAME: usize = 32 * 1024;

/// A frame from a client.
#[derive(Debug)]
pub enum Frame {
    /// Start a run, or attach to the run of the same task.
    Task {
        /// The task.
        task: Task,
        /// Its configuration.
        config: ClientConfig,
    },
    /// Reply with the last event's place.
    Ping,
    /// Follow a session and replay its record.
    Subscribe {
        /// The session.
        session: SessionId,
        /// The last event that the client has.
        after: Seq,
    },
    /// Reply with the followed session's state and replay its record.
    RequestState {
        /// The last event that the client has.
        after: Seq,
    },
    /// Answer an approval.
    Answer {
        /// The approval.
        approval: ApprovalId,
        /// The answer.
        given: AnswerInput,
    },
    /// Suspend after the current step.
    Pause(RunFrame),
    /// Resume.
    Resume(RunFrame),
    /// End the run.
    Cancel(RunFrame),
}

impl Frame {
    /// Reads a frame's text.
    ///
    /// # Errors
    /// `too_large`, `malformed_json`, `unknown_frame`, or what is wrong with one of its fields.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > MAX_FRAME {
            let detail = "The frame is larger than 32 KiB; send the task over REST and subscribe.";
            return Err(Problem::new(Code::TooLarge, detail));
        }
        let object = JsonObject::parse(text)?;
        match FrameKind::of(&object)? {
            FrameKind::Task => Self::task(object.read()?),
            FrameKind::Ping => Ok(Self::Ping),
            FrameKind::Subscribe => Self::subscribe(object.read()?),
            FrameKind::RequestState => {
                let frame: RequestStateFrame = object.read()?;
                let after = frame.after.unwrap_or_default();
                Ok(Self::RequestState { after })
            }
            FrameKind::Answer => Self::answer(object.read()?),
            FrameKind::Pause => object.read().map(Self::Pause),
            FrameKind::Resume => object.read().map(Self::Resume),
            FrameKind::Cancel => object.read().map(Self::Cancel),
        }
    }

    fn task(frame: FirstFrame) -> Result<Self, Problem> {
        Ok(Self::Task {
            task: Task::new(frame.task)?,
            config: ClientConfig::of(frame.config)?,
        })
    }

    fn subscribe(frame: SubscribeFrame) -> Result<Self, Problem> {
        Ok(Self::Subscribe {
            session: frame.session_id.id(Refusal::NoSuchSession)?,
            after: frame.after.unwrap_or_default(),
        })
    }

    fn answer(frame: AnswerFrame) -> Result<Self, Problem> {
        let given = AnswerInput::of(AnswerBody {
            resolution: frame.resolution,
            approved: frame.approved,
            feedback: frame.feedback,
            modifications: frame.modifications,
        })?;
        let approval = frame.approval_id.id(Refusal::NoSuchApproval)?;
        Ok(Self::Answer { approval, given })
    }
}

/// The kinds of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    Task,
    Ping,
    Subscribe,
    RequestState,
    Answer,
    Pause,
    Resume,
    Cancel,
}

impl FrameKind {
    /// The kind of a frame whose other fields may be invalid.
    ///
    /// # Errors
    /// `unknown_frame`; `invalid_field` for a `type` that is no text.
    fn of(object: &JsonObject<'_>) -> Result<Self, Problem> {
        match object.read::<FrameType>()?.name.as_deref() {
            None if object.has("task") => Ok(Self::Task),
            Some("ping") => Ok(Self::Ping),
            Some("subscribe") => Ok(Self::Subscribe),
            Some("request_state") => Ok(Self::RequestState),
            Some("approval_response" | "resolve_approval") => Ok(Self::Answer),
            Some("pause") => Ok(Self::Pause),
            Some("resume") => Ok(Self::Resume),
            Some("cancel") => Ok(Self::Cancel),
            _ => Err(Problem::new(
                Code::UnknownFrame,
                "The frame is of no known type.",
            )),
        }
    }

    /// The kind of a refused frame, if it has one.
    pub fn of_text(text: &str) -> Option<Self> {
        Self::of(&JsonObject::skim(text)?).ok()
    }
}

/// The field that names the kind of a frame.
#[derive(Deserialize)]
struct FrameType {
    #[serde(rename = "type")]
    name: Option<String>,
}

impl RunFrame {
    /// The run; `None` stands for the followed session's unfinished run, as does the connection's
    /// own task id, which clients take for a run's id.
    ///
    /// # Errors
    /// `run_not_found` for a text that is no id.
    pub fn run(self, task_id: &str) -> Result<Option<RunId>, Problem> {
        let named = self.run_id.filter(|run| run != task_id);
        let run = named.map(|run| run.parse().map_err(|_| Refusal::NoSuchRun));
        Ok(run.transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    /// Objects with the fields of frames, each with a value of its own or of another one.
    fn near_frames() -> impl Strategy<Value = Value> {
        let name = "type|task|config|session_id|run_id|approval_id|after|approved|resolution|feedback|modifications";
        let value = prop_oneof![
            "ping|subscribe|request_state|approval_response|resolve_approval|pause|resume|cancel"
                .prop_map(Value::from),
            Just(json!(ID)),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            Just(json!({})),
            Just(json!([null])),
            "\\PC*".prop_map(Value::from),
        ];
        btree_map(name, value, 0..8).prop_map(|fields| fields.into_iter().collect())
    }

    proptest! {
        #[test]
        fn no_text_is_a_fault_of_ours(text in "\\PC*") {
            let parsed = Frame::parse(&text);
            prop_assert!(parsed.map_or_else(|problem| problem.status() < 500, |_| true));
        }

        #[test]
        fn a_frame_or_its_problem_does_not_hang_on_white_space(frame in near_frames()) {
            let read = |text: String| match Frame::parse(&text) {
                Ok(Frame::Task { task, config }) => Ok(format!("{task:?} {:?}", config.value().unwrap())),
                Ok(other) => Ok(format!("{other:?}")),
                Err(problem) => Err((problem.status(), problem.to_string())),
            };
            let short = read(frame.to_string());
            prop_assert_eq!(&short, &read(serde_json::to_string_pretty(&frame).unwrap()));
            prop_assert!(short.map_or_else(|(status, _)| status < 500, |_| true));
        }
    }

    #[test]
    fn every_frame_of_the_contract_is_known() {
        let parse = |text: &str| Frame::parse(&text.replace("ID", ID)).unwrap();
        assert!(matches!(
            parse(r#"{"task": "t", "config": {"mode": "one-shot"}}"#),
            Frame::Task { .. }
        ));
        assert!(matches!(
            parse(r#"{"task": "t", "config": null, "type": null}"#),
            Frame::Task { .. }
        ));
        assert!(matches!(
            parse(r#"{"type": "ping", "more": 1}"#),
            Frame::Ping
        ));
        assert!(matches!(
            parse(r#"{"type": "subscribe", "session_id": "ID"}"#),
            Frame::Subscribe { after: Seq(0), .. }
        ));
        assert!(matches!(
            parse(r#"{"type": "request_state", "after": 7}"#),
            Frame::RequestState { after: Seq(7) }
        ));
        let Frame::Pause(run) = parse(r#"{"type": "pause"}"#) else {
            panic!("pause");
        };
        assert_eq!(run.run("tides").unwrap(), None);
        let Frame::Resume(run) = parse(r#"{"type": "resume", "run_id": "ID"}"#) else {
            panic!("resume");
        };
        assert_eq!(run.run("tides").unwrap().unwrap().to_string(), ID);
        let Frame::Cancel(run) = parse(r#"{"type": "cancel", "run_id": "tides"}"#) else {
            panic!("cancel");
        };
        assert_eq!(run.run("tides").unwrap(), None, "the connection's task id");
        let Frame::Cancel(run) = parse(r#"{"type": "cancel", "run_id": "x"}"#) else {
            panic!("cancel");
        };
        assert_eq!(run.run("tides").unwrap_err().code(), Code::RunNotFound);
    }

    #[test]
    fn an_answer_is_known_by_both_of_its_names() {
        for name in ["approval_response", "resolve_approval"] {
            let text = format!(
                r#"{{"type": "{name}", "approval_id": "{ID}", "approved": true, "modifications": "{{}}"}}"#
            );
            let Frame::Answer { approval, .. } = Frame::parse(&text).unwrap() else {
                panic!("{name}");
            };
            assert_eq!(approval.to_string(), ID);
        }
    }

    #[test]
    fn a_bad_frame_is_told_what_is_wrong_with_it() {
        for (text, code) in [
            ("", Code::MalformedJson),
            ("{\"type\":", Code::MalformedJson),
            ("[]", Code::InvalidField),
            ("{}", Code::UnknownFrame),
            (r#"{"type": "dance"}"#, Code::UnknownFrame),
            (r#"{"type": "task", "task": "t"}"#, Code::UnknownFrame),
            (r#"{"type": 1}"#, Code::InvalidField),
            (r#"{"task": 1}"#, Code::InvalidField),
            (r#"{"task": " "}"#, Code::EmptyTask),
            (r#"{"task": "t", "config": []}"#, Code::InvalidField),
            (r#"{"type": "subscribe"}"#, Code::InvalidField),
            (
                r#"{"type": "subscribe", "session_id": "x"}"#,
                Code::SessionNotFound,
            ),
            (
                r#"{"type": "request_state", "after": -1}"#,
                Code::InvalidField,
            ),
            (r#"{"type": "resolve_approval"}"#, Code::InvalidField),
            (
                r#"{"type": "resolve_approval", "approval_id": "x", "approved": true}"#,
                Code::ApprovalNotFound,
            ),
            (
                r#"{"type": "resolve_approval", "approval_id": "x", "approved": "yes"}"#,
                Code::InvalidField,
            ),
            (
                r#"{"type": "resolve_approval", "approval_id": "x"}"#,
                Code::InvalidField,
            ),
        ] {
            assert_eq!(Frame::parse(text).unwrap_err().code(), code, "{text}");
        }
        let large = format!(r#"{{"task": "{}"}}"#, "x".repeat(MAX_FRAME));
        assert_eq!(Frame::parse(&large).unwrap_err().code(), Code::TooLarge);
    }
}
