//! Replies: frames that are no part of a session's record, so that their `seq` is null.

use serde::Serialize;
use serde_json::{Value, json};
use session::{ApprovalRow, RunId, Seq, SessionId, State, Timestamp, resolution_for};

use lambda_kit::Problem;

/// A reply, in the contract's envelope.
#[derive(Debug, Serialize)]
pub struct Reply {
    event_type: &'static str,
    timestamp: Timestamp,
    run_id: Option<RunId>,
    session_id: Option<SessionId>,
    seq: Option<Seq>,
    data: Value,
}

/// What a reply is about: the connection's session and run.
#[derive(Debug, Clone, Copy, Default)]
pub struct About {
    /// The session that the connection follows.
    pub session: Option<SessionId>,
    /// The run that its frames mean.
    pub run: Option<RunId>,
}

impl About {
    /// A session and its newest run.
    pub fn state(state: &State) -> Self {
        Self {
            session: Some(state.session_id),
            run: state.run.as_ref().map(|run| run.id),
        }
    }

    fn reply(self, event_type: &'static str, now: Timestamp, data: Value) -> Reply {
        Reply {
            event_type,
            timestamp: now,
            run_id: self.run,
            session_id: self.session,
            seq: None,
            data,
        }
    }

    /// `error {message, code}`.
    pub fn error(self, problem: &Problem, now: Timestamp) -> Reply {
        let data = json!({"message": problem.to_string(), "code": problem.code().word()});
        self.reply("error", now, data)
    }

    /// `pong {last_seq}`; 0 where no session is followed.
    pub fn pong(self, last_seq: Seq, now: Timestamp) -> Reply {
        self.reply("pong", now, json!({"last_seq": last_seq}))
    }

    /// `status {message, session_id}` of an attach.
    pub fn attached(self, now: Timestamp) -> Reply {
        let message = "The task is known; what became of it follows.";
        self.reply(
            "status",
            now,
            json!({"message": message, "session_id": self.session}),
        )
    }

    /// `replay_end {last_seq, next_after, more}`.
    pub fn replay_end(self, last_seq: Seq, reached: Seq, now: Timestamp) -> Reply {
        let more = reached < last_seq;
        let data = json!({
            "last_seq": last_seq,
            "next_after": more.then_some(reached),
            "more": more,
        });
        self.reply("replay_end", now, data)
    }

    /// `workflow_state_changed {status, phase, run_id, last_seq}`.
    pub fn state_of(self, state: &State, now: Timestamp) -> Reply {
        let data = json!({
            "status": state.status,
            "phase": state.phase,
            "run_id": self.run,
            "last_seq": state.last_seq,
        });
        self.reply("workflow_state_changed", now, data)
    }

    /// `approval_received {approval_id, approved, resolution, feedback}`, as the question's row has it.
    pub fn approval_received(self, row: &ApprovalRow, now: Timestamp) -> Reply {
        let answer = row.resolution.as_slice();
        let data = json!({
            "approval_id": row.approval_id,
            "approved": resolution_for(true, answer).is_some(),
            "resolution": row.resolution,
            "feedback": row.feedback,
        });
        self.reply("approval_received", now, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_has_the_envelope_with_a_null_seq() {
        let now = Timestamp::from_micros(0).unwrap();
        let problem = Problem::field("after", "a whole number from 0");
        let reply = serde_json::to_value(About::default().error(&problem, now)).unwrap();
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
    fn a_replay_ends_at_the_end_or_says_where_to_go_on() {
        let now = Timestamp::from_micros(0).unwrap();
        let end = |last, reached| {
            let reply = About::default().replay_end(Seq(last), Seq(reached), now);
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
    }
}
