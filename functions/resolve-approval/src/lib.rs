//! `POST /api/sessions/{session_id}/approvals/{approval_id}`: answers an
//! approval, and the run continues.

mod operation;

use lambda_kit::http::{HttpReply, approval_id, body, session_id};
use lambda_kit::{AnswerInput, App, Outbox, Problem, Request, now};

pub use operation::operation;

/// Answers with the approval after the answer. The same answer again changes nothing.
///
/// # Errors
/// `session_not_found`, `approval_not_found`, `approval_resolved`, `approval_cancelled`,
/// `approval_expired`, `too_large`, `invalid_field`, `not_an_option`, `invalid_answer`,
/// `unavailable`.
pub async fn handle(app: &App, outbox: &Outbox, request: Request) -> Result<HttpReply, Problem> {
    let caller = app.authenticator.caller(&request)?;
    let question = (session_id(&request)?, approval_id(&request)?);
    let given = AnswerInput::of(body(&request)?)?;

    let approval = app.resolve(outbox, &caller, question, given, now()).await?;
    HttpReply::ok(approval.row())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lambda_kit::Code;
    use lambda_kit::testing::wire::{approval, asked, entry, found, got, got_all, lost_to};
    use lambda_kit::testing::{ID, Wire, app, expect, of_session, outbox, post};
    use serde_json::{Value, json};
    use session::{ApprovalRow, ApprovalStatus, OwnerId, Seq, State};

    use super::*;

    /// A question that is open for an hour yet.
    fn open() -> (State, ApprovalRow) {
        asked(now().plus(Duration::from_secs(3600)))
    }

    /// The approval after an answer.
    fn answered(row: &ApprovalRow) -> ApprovalRow {
        ApprovalRow {
            status: ApprovalStatus::Resolved,
            resolution: Some("approve".into()),
            feedback: Some("Fine.".into()),
            resolved_by: Some("bob".into()),
            resolved_at: Some(row.created_at),
            ..row.clone()
        }
    }

    /// The replies to the reads of a session in this state, and of its question.
    fn read(state: &State, row: &ApprovalRow) -> [(&'static str, Value); 2] {
        [
            ("Query", found(&[entry(state)])),
            ("GetItem", got(&approval(row))),
        ]
    }

    /// The reply to the read of the run's config.
    fn config() -> (&'static str, Value) {
        let config = json!({"SK": "CONFIG", "config": "{}"});
        ("BatchGetItem", got_all(&[config]))
    }

    async fn answer(wire: &Wire, body: &Value) -> Result<Value, (Code, String)> {
        let app = wire.app();
        let outbox = wire.outbox(&app);
        match handle(&app, &outbox, post(body.to_string())).await {
            Ok(reply) => Ok(serde_json::from_str(reply.json()).unwrap()),
            Err(problem) => Err((problem.code(), problem.to_string())),
        }
    }

    /// What a question with this row says, whose reads are all that is done.
    async fn told(state: &State, row: &ApprovalRow, body: Value) -> Result<Value, (Code, String)> {
        let wire = Wire::new(read(state, row));
        let told = answer(&wire, &body).await;
        assert_eq!(wire.asked(), ["Query", "GetItem"]);
        told
    }

    #[tokio::test]
    async fn it_needs_an_approval_of_a_session_and_an_answer() {
        let app = app();
        let outbox = outbox(&app);
        let cases = [
            (of_session("x"), Code::SessionNotFound),
            (post(""), Code::MalformedJson),
            (post("[]"), Code::InvalidField),
            (post("{}"), Code::InvalidField),
            (post(r#"{"resolution": 1}"#), Code::InvalidField),
        ];
        expect(|request| handle(&app, &outbox, request), cases).await;
    }

    #[tokio::test]
    async fn an_answer_is_committed_and_is_in_the_reply() {
        let (state, row) = open();
        let done = ("TransactWriteItems", json!({}));
        let wire = Wire::new(read(&state, &row).into_iter().chain([config(), done]));
        let reply = answer(&wire, &json!({"approved": true, "feedback": "Go."})).await;
        let reply = reply.unwrap();
        assert_eq!(reply["approval_id"], ID);
        assert_eq!(reply["status"], "resolved");
        assert_eq!(reply["resolution"], "approve");
        assert_eq!(reply["feedback"], "Go.");
        assert_eq!(reply["resolved_by"], "local");
        assert!(reply["resolved_at"].is_string());
        let asked = wire.asked();
        let (work, followers) = asked.split_at(4);
        assert_eq!(
            work,
            ["Query", "GetItem", "BatchGetItem", "TransactWriteItems"]
        );
        assert_eq!(followers, ["Query"], "followers are read for the push");
    }

    #[tokio::test]
    async fn the_same_answer_again_is_the_first_one_and_another_learns_whose_that_is() {
        let (state, row) = open();
        let row = ApprovalRow {
            modifications: Some(json!({"x": 1.5})),
            ..answered(&row)
        };
        let modified = |x: f64| json!({"x": x});
        for again in [
            json!({"resolution": "approve", "feedback": "Fine.", "modifications": modified(1.5)}),
            json!({"approved": true, "feedback": "Fine.", "modifications": r#"{"x": 1.50}"#}),
        ] {
            let reply = told(&state, &row, again).await.unwrap();
            assert_eq!(reply["feedback"], "Fine.");
            assert_eq!(reply["resolved_by"], "bob");
        }
        let answered = "The approval was already answered by bob with approve";
        for other in [
            json!({"resolution": "reject", "feedback": "Fine.", "modifications": modified(1.5)}),
            json!({"approved": false}),
            json!({"resolution": "dance"}),
        ] {
            let refused = told(&state, &row, other).await;
            assert_eq!(
                refused,
                Err((Code::ApprovalResolved, format!("{answered}.")))
            );
        }
        for otherwise in [
            json!({"resolution": "approve"}),
            json!({"approved": true, "feedback": "Fine."}),
            json!({"approved": true, "modifications": modified(1.5)}),
            json!({"approved": true, "feedback": "Very fine.", "modifications": modified(1.5)}),
            json!({"approved": true, "feedback": "Fine.", "modifications": modified(2.5)}),
        ] {
            let sentence = format!("{answered} and other feedback or modifications.");
            let refused = told(&state, &row, otherwise).await;
            assert_eq!(refused, Err((Code::ApprovalResolved, sentence)));
        }
    }

    #[tokio::test]
    async fn modifications_that_nest_too_deep_change_nothing() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(125), "}".repeat(125));
        let wire = Wire::new([]);
        for body in [
            format!(r#"{{"resolution": "approve", "modifications": {deep}}}"#),
            json!({"resolution": "approve", "modifications": deep}).to_string(),
        ] {
            let app = wire.app();
            let refused = handle(&app, &wire.outbox(&app), post(body)).await;
            assert_eq!(refused.unwrap_err().code(), Code::InvalidField);
        }
        assert!(wire.asked().is_empty());
    }

    #[tokio::test]
    async fn an_answer_after_the_expiry_is_refused() {
        let (state, row) = open();
        let yes = json!({"approved": true});
        let with = |status| ApprovalRow {
            status,
            ..row.clone()
        };
        let lapsed = ApprovalRow {
            expires_at: row.created_at,
            ..row.clone()
        };
        for (row, code) in [
            (with(ApprovalStatus::Cancelled), Code::ApprovalCancelled),
            (with(ApprovalStatus::Expired), Code::ApprovalExpired),
            (lapsed, Code::ApprovalExpired),
        ] {
            let refused = told(&state, &row, yes.clone()).await;
            assert_eq!(refused.unwrap_err().0, code);
        }
    }

    #[tokio::test]
    async fn an_overtaken_answer_learns_whose_was_first() {
        let (state, row) = open();
        let mut newer = state.clone();
        newer.approval = None;
        newer.last_seq = Seq(state.last_seq.0 + 1);
        let lost = ("TransactWriteItems", lost_to(&entry(&newer)));
        let bobs = answered(&row);
        for (body, code) in [
            (json!({"resolution": "approve", "feedback": "Fine."}), None),
            (
                json!({"resolution": "reject"}),
                Some(Code::ApprovalResolved),
            ),
        ] {
            let first = read(&state, &row).into_iter().chain([config()]);
            let wire = Wire::new(first.chain([lost.clone()]).chain(read(&newer, &bobs)));
            let told = answer(&wire, &body).await;
            assert_eq!(told.err().map(|(code, _)| code), code, "{body}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_its_option_cannot_use_leaves_the_question_open() {
        let (state, row) = open();
        let step = json!({"sub_task": "Look.", "sub_task_agent": "nobody"});
        for (body, code, place) in [
            (json!({"resolution": "skip"}), Code::NotAnOption, "approve"),
            (
                json!({"resolution": "modify"}),
                Code::InvalidAnswer,
                "`modifications.plan`",
            ),
            (
                json!({"resolution": "modified", "modifications": {"plan": [step]}}),
                Code::InvalidAnswer,
                "`modifications.plan[0].sub_task_agent`",
            ),
        ] {
            let wire = Wire::new(read(&state, &row).into_iter().chain([config()]));
            let (told, sentence) = answer(&wire, &body).await.unwrap_err();
            assert_eq!(told, code);
            assert!(sentence.contains(place), "{sentence}");
            assert!(!wire.asked().contains(&"TransactWriteItems".to_owned()));
        }
    }

    #[tokio::test]
    async fn a_stranger_sees_no_session_whether_there_is_such_an_approval_or_not() {
        let (mut state, row) = open();
        let yes = json!({"approved": true});
        let nothing = [("Query", found(&[entry(&state)])), ("GetItem", json!({}))];
        let missing = answer(&Wire::new(nothing), &yes).await;
        assert_eq!(missing.unwrap_err().0, Code::ApprovalNotFound);

        state.owner = OwnerId::of("local", "ada");
        let foreign = told(&state, &row, yes).await;
        assert_eq!(foreign.unwrap_err().0, Code::SessionNotFound);
    }
}
