//! Replies: frames outside a session's record, with a null `seq`.

use schemars::JsonSchema;
use serde::Serialize;
use session::{
    ApprovalReceived, ApprovalRequest, Phase, RunId, Seq, SessionId, SessionStatus, State,
    Timestamp,
};

use crate::{Code, Problem};

/// A reply, in the contract's envelope.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReplyFrame {
    /// When it was sent.
    timestamp: Timestamp,
    /// The run that the connection's frames mean.
    run_id: Option<RunId>,
    /// The session that the connection follows.
    session_id: Option<SessionId>,
    /// Null: a reply has no place in the record.
    seq: (),
    #[serde(flatten)]
    body: ReplyBody,
}

/// The kinds of replies.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "event_type", content = "data", rename_all = "snake_case")]
enum ReplyBody {
    /// A frame cannot be done, and nothing else happens.
    Error {
        /// A sentence for people.
        message: String,
        code: Code,
        /// The run that stands in the way, with `run_unfinished`.
        #[serde(skip_serializing_if = "Option::is_none")]
        run_id: Option<RunId>,
    },
    /// To `ping`.
    Pong {
        /// Of the session that the connection follows; 0 where it follows none.
        last_seq: Seq,
    },
    /// To a first frame whose run was started before: its record follows.
    Status {
        /// A sentence for people.
        message: String,
        /// The task's session.
        session_id: Option<SessionId>,
    },
    /// A replay is over.
    ReplayEnd {
        /// The session's last event.
        last_seq: Seq,
        /// Where the next replay begins; null at the end.
        next_after: Option<Seq>,
        /// Whether there is more.
        more: bool,
        /// Whether `after` is beyond the record: the client's copy is of another one, and begins
        /// again at 0. Absent otherwise.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        cursor_ahead: bool,
    },
    /// To `request_state`: where the session stands.
    WorkflowStateChanged {
        status: SessionStatus,
        phase: Phase,
        /// The session's newest run.
        run_id: Option<RunId>,
        /// The session's last event.
        last_seq: Seq,
    },
    /// Behind the `error` of a refused answer: the approval, which is still open.
    ApprovalRequested(Box<ApprovalRequest>),
    /// Behind the `error` of a refused first frame: no run was started.
    WorkflowFailed {
        /// Null: there is no run.
        run_id: Option<RunId>,
        /// A sentence for people.
        error: String,
        failed_step: Option<String>,
    },
    /// To an answer that the approval has already.
    ApprovalReceived(Box<ApprovalReceived>),
}

/// The session and run of a reply.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplyContext {
    /// The session that the connection follows.
    pub session: Option<SessionId>,
    /// The run that its frames mean.
    pub run: Option<RunId>,
}

impl ReplyContext {
    /// A session and its newest run.
    pub fn state(state: &State) -> Self {
        Self {
            session: Some(state.session_id),
            run: state.run.as_ref().map(|run| run.id),
        }
    }

    const fn reply(self, body: ReplyBody, now: Timestamp) -> ReplyFrame {
        ReplyFrame {
            timestamp: now,
            run_id: self.run,
            session_id: self.session,
            seq: (),
            body,
        }
    }

    /// The error of a frame.
    pub fn error(self, problem: &Problem, now: Timestamp) -> ReplyFrame {
        let body = ReplyBody::Error {
            message: problem.to_string(),
            code: problem.code(),
            run_id: problem.run_id(),
        };
        self.reply(body, now)
    }

    /// An approval that is still open.
    pub fn approval_requested(self, request: ApprovalRequest, now: Timestamp) -> ReplyFrame {
        self.reply(ReplyBody::ApprovalRequested(Box::new(request)), now)
    }

    /// No run was started.
    pub fn not_started(self, problem: &Problem, now: Timestamp) -> ReplyFrame {
        let body = ReplyBody::WorkflowFailed {
            run_id: None,
            error: problem.to_string(),
            failed_step: None,
        };
        self.reply(body, now)
    }

    /// The place of the followed session's last event.
    pub const fn pong(self, last_seq: Seq, now: Timestamp) -> ReplyFrame {
        self.reply(ReplyBody::Pong { last_seq }, now)
    }

    /// The connection follows a run that was started before.
    pub fn attached(self, message: &str, now: Timestamp) -> ReplyFrame {
        let body = ReplyBody::Status {
            message: message.into(),
            session_id: self.session,
        };
        self.reply(body, now)
    }

    /// The end of a replay.
    pub fn replay_end(self, last_seq: Seq, reached: Seq, now: Timestamp) -> ReplyFrame {
        let more = reached < last_seq;
        let body = ReplyBody::ReplayEnd {
            last_seq,
            next_after: more.then_some(reached),
            more,
            cursor_ahead: false,
        };
        self.reply(body, now)
    }

    /// The end of a replay that was to begin beyond the record.
    pub const fn cursor_ahead(self, last_seq: Seq, now: Timestamp) -> ReplyFrame {
        let body = ReplyBody::ReplayEnd {
            last_seq,
            next_after: None,
            more: false,
            cursor_ahead: true,
        };
        self.reply(body, now)
    }

    /// A session's state.
    pub const fn state_of(self, state: &State, now: Timestamp) -> ReplyFrame {
        let body = ReplyBody::WorkflowStateChanged {
            status: state.status,
            phase: state.phase,
            run_id: self.run,
            last_seq: state.last_seq,
        };
        self.reply(body, now)
    }

    /// An answer that was given before.
    pub fn approval_received(self, received: ApprovalReceived, now: Timestamp) -> ReplyFrame {
        self.reply(ReplyBody::ApprovalReceived(Box::new(received)), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_reply_has_the_envelope_with_a_null_seq() {
        let now = Timestamp::from_micros(0).unwrap();
        let problem = Problem::field("after", "a whole number from 0");
        let reply = serde_json::to_value(ReplyContext::default().error(&problem, now)).unwrap();
        assert_eq!(
            reply,
            json!({
                "event_type": "error", "timestamp": "1970-01-01T00:00:00.000000Z", "run_id": null,
                "session_id": null, "seq": null,
                "data": {"message": "`after` must be a whole number from 0.", "code": "invalid_field"}
            })
        );
    }

    #[test]
    fn an_error_names_the_run_in_the_way_as_rest_does() {
        let run_id: RunId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let status = session::RunStatus::Running;
        let refused = session::Refusal::RunUnfinished { run_id, status }.into();
        let now = Timestamp::from_micros(0).unwrap();
        let reply = serde_json::to_value(ReplyContext::default().error(&refused, now)).unwrap();
        assert_eq!(reply["data"]["code"], "run_unfinished");
        assert_eq!(reply["data"]["run_id"], run_id.to_string());
    }

    #[test]
    fn a_replay_ends_at_the_end_or_says_where_to_go_on() {
        let now = Timestamp::from_micros(0).unwrap();
        let end = |last, reached| {
            let reply = ReplyContext::default().replay_end(Seq(last), Seq(reached), now);
            serde_json::to_value(reply).unwrap()["data"].clone()
        };
        assert_eq!(
            end(7, 7),
            json!({"last_seq": 7, "next_after": null, "more": false})
        );
        assert_eq!(
            end(9, 7),
            json!({"last_seq": 9, "next_after": 7, "more": true})
        );
        let ahead = ReplyContext::default().cursor_ahead(Seq(9), now);
        assert_eq!(
            serde_json::to_value(ahead).unwrap()["data"],
            json!({"last_seq": 9, "next_after": null, "more": false, "cursor_ahead": true})
        );
    }
}
