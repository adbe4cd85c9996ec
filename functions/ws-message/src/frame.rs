//! What a client can say over a WebSocket: a closed set of frames, each parsed with the types that it needs.
//!
//! A frame with a `type` is what its type says; one without is a task. Anything else is told so, and nothing happens.

use lambda_kit::{AnswerInput, ClientConfig, Code, Fields, Problem, Task};
use session::{ApprovalId, Refusal, RunId, Seq, SessionId};

/// The largest frame, in bytes. API Gateway closes the connection on a larger one; an emulator may not.
const MAX_FRAME: usize = 32 * 1024;

/// A frame from a client.
#[derive(Debug)]
pub enum Frame {
    /// Do this; or, when it was said before, show what became of it.
    Task {
        /// What is to be done.
        task: Task,
        /// How.
        config: ClientConfig,
    },
    /// Are you there, and what is the last event?
    Ping,
    /// Send what happened in a session, and what will.
    Subscribe {
        /// Which session.
        session: SessionId,
        /// What the client knows already.
        after: Seq,
    },
    /// Where does the followed session stand?
    RequestState {
        /// What the client knows already.
        after: Seq,
    },
    /// An answer to a question.
    Answer {
        /// Which question.
        approval: ApprovalId,
        /// What is answered.
        given: AnswerInput,
    },
    /// Stop after the current step.
    Pause(Option<RunId>),
    /// Go on.
    Resume(Option<RunId>),
    /// End the run.
    Cancel(Option<RunId>),
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
        let fields = Fields::parse(text)?;
        match fields.text("type")?.as_deref() {
            None if fields.has("task") => Self::task(&fields),
            Some("ping") => Ok(Self::Ping),
            Some("subscribe") => Self::subscribe(&fields),
            Some("request_state") => Ok(Self::RequestState {
                after: after(&fields)?,
            }),
            Some("approval_response" | "resolve_approval") => Self::answer(&fields),
            Some("pause") => run(&fields).map(Self::Pause),
            Some("resume") => run(&fields).map(Self::Resume),
            Some("cancel") => run(&fields).map(Self::Cancel),
            _ => Err(Problem::new(
                Code::UnknownFrame,
                "The frame is of no known type.",
            )),
        }
    }

    fn task(fields: &Fields) -> Result<Self, Problem> {
        Ok(Self::Task {
            task: Task::new(fields.text("task")?)?,
            config: ClientConfig::of(fields)?,
        })
    }

    fn subscribe(fields: &Fields) -> Result<Self, Problem> {
        let session = fields.required_text("session_id")?;
        Ok(Self::Subscribe {
            // What is no id names no session.
            session: session.parse().map_err(|_| Refusal::NoSuchSession)?,
            after: after(fields)?,
        })
    }

    fn answer(fields: &Fields) -> Result<Self, Problem> {
        let approval = fields.required_text("approval_id")?;
        Ok(Self::Answer {
            given: AnswerInput::of(fields)?,
            approval: approval.parse().map_err(|_| Refusal::NoSuchApproval)?,
        })
    }
}

fn after(fields: &Fields) -> Result<Seq, Problem> {
    Ok(fields.seq("after")?.unwrap_or_default())
}

fn run(fields: &Fields) -> Result<Option<RunId>, Problem> {
    let run = fields.text("run_id")?.map(|text| text.parse());
    Ok(run.transpose().map_err(|_| Refusal::NoSuchRun)?)
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
        assert!(matches!(parse(r#"{"type": "pause"}"#), Frame::Pause(None)));
        assert!(matches!(
            parse(r#"{"type": "resume", "run_id": "ID"}"#),
            Frame::Resume(Some(_))
        ));
        assert!(matches!(
            parse(r#"{"type": "cancel", "run_id": null}"#),
            Frame::Cancel(None)
        ));
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
            (r#"{"type": "pause", "run_id": "x"}"#, Code::RunNotFound),
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
