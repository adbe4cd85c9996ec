//! A person's answer to an approval, over REST and WebSocket.
//!
//! The approval's row decides about a further answer: the same one, with the same feedback and
//! modifications, succeeds; another one is refused and learns who answered. An answer that its
//! option cannot use is refused before the commit, so that the approval stays open.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use session::{
    ApprovalAnswer, ApprovalId, ApprovalRow, ApprovalStatus, CONTENT_BYTES, Command, Refusal,
    SessionId, State, Timestamp, canonical_resolution, resolution_for,
};
use session_manager::Actor;
use workflow::{Modifications, RunSettings, check_answer};

use crate::{App, Caller, ClientConfig, Code, Outbox, Problem, json};

const MODIFICATIONS: &str = "modifications";

/// What is wrong with the modifications of a `modify` that are JSON and no object.
const PLAN_SHAPE: &str = "`modifications` must be a plan: \
    {\"plan\": [{\"sub_task\": text, \"sub_task_agent\": agent, \"bullet_points\": [text]}]}.";

/// The largest modifications, in bytes of JSON: those of the largest plan.
const MAX_MODIFICATIONS: usize = 64 * 1024;

/// An answer as a client gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerInput {
    choice: Choice,
    feedback: Option<String>,
    modifications: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    /// The positive or the negative option, whatever it is called.
    Approved(bool),
    /// One of the options, in its one spelling.
    Resolution(String),
}

/// A person's answer to a question of a run: `resolution`, or else `approved`.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Answer", extend("anyOf" = [
    {"required": ["resolution"], "properties": {"resolution": {"type": "string"}}},
    {"required": ["approved"], "properties": {"approved": {"type": "boolean"}}},
]))]
pub struct AnswerBody {
    /// One of the approval's options; `approved`, `rejected` and `modified` are synonyms.
    pub resolution: Option<String>,
    /// The positive or the negative option, whatever it is called.
    pub approved: Option<bool>,
    /// In the person's words; at most 32 KiB.
    #[schemars(length(max = CONTENT_BYTES))]
    pub feedback: Option<String>,
    /// What replaces what was asked about.
    #[schemars(with = "Option<Modifications>")]
    pub modifications: Option<Value>,
}

impl AnswerInput {
    /// Checks `resolution` or else `approved`, `feedback`, and `modifications`. Blank feedback and
    /// modifications count as absent. A `modify` whose text is no JSON is a `revise` in these
    /// words.
    ///
    /// # Errors
    /// `invalid_field`, `invalid_answer`, `too_large` for a feedback above 32 KiB or modifications
    /// above 64 KiB.
    pub fn of(body: AnswerBody) -> Result<Self, Problem> {
        let mut choice = match (body.resolution, body.approved) {
            (Some(text), _) => Choice::Resolution(canonical_resolution(&text).to_owned()),
            (None, Some(approved)) => Choice::Approved(approved),
            (None, None) => return Err(Problem::field("resolution", "given, or `approved`")),
        };
        let mut feedback = body.feedback.filter(|text| !text.trim().is_empty());
        check_size(&feedback, "`feedback` is larger than 32 KiB.")?;
        let is_modify = matches!(&choice, Choice::Resolution(text) if text == "modify");
        let modifications = match body.modifications {
            Some(Value::String(text)) if text.trim().is_empty() => None,
            Some(Value::String(text)) => match json::parse_value(&text) {
                // It nests deeper than can be read.
                Err(problem) if problem.code() != Code::MalformedJson => {
                    return Err(json::too_deep(MODIFICATIONS));
                }
                Err(_) if is_modify => {
                    choice = Choice::Resolution("revise".into());
                    let words: Vec<String> = feedback.into_iter().chain([text]).collect();
                    feedback = Some(words.join("\n\n"));
                    let detail = "`feedback` and `modifications` are larger than 32 KiB together.";
                    check_size(&feedback, detail)?;
                    None
                }
                value => Some(value.unwrap_or_default()),
            },
            given => given,
        };
        if let Some(value) = &modifications {
            check_modifications(value, is_modify)?;
        }
        Ok(Self {
            choice,
            feedback,
            modifications,
        })
    }

    /// Whether the approval has this answer already. JSON is compared as it is read back: a float
    /// may differ in its last digit after that.
    fn is_that_of(&self, row: &ApprovalRow) -> bool {
        let kept = |value: &Value| serde_json::from_str::<Value>(&value.to_string()).ok();
        self.option(&row.options) == row.resolution.as_deref()
            && self.feedback == row.feedback
            && self.modifications.as_ref().and_then(kept) == row.modifications
    }

    /// The option of this answer, if it is one. The options decide what yes and no mean; `exit`
    /// stands for `abort` where only that is offered.
    fn option<'a>(&'a self, options: &'a [String]) -> Option<&'a str> {
        let given = match &self.choice {
            Choice::Approved(approved) => return resolution_for(*approved, options),
            Choice::Resolution(given) => given.as_str(),
        };
        let offered = |word: &str| options.iter().any(|option| option == word);
        let instead = (given == "exit").then_some("abort");
        [Some(given), instead]
            .into_iter()
            .flatten()
            .find(|word| offered(word))
    }

    fn by(self, caller: &Caller, question: &ApprovalRow) -> Result<ApprovalAnswer, Refusal> {
        let resolution = self.option(&question.options).map(str::to_owned);
        Ok(ApprovalAnswer {
            approval: question.approval_id,
            resolution: resolution
                .ok_or_else(|| Refusal::NotAnOption(question.options.join(", ")))?,
            feedback: self.feedback,
            modifications: self.modifications,
            by: caller.subject.clone(),
        })
    }
}

/// Modifications are an object that can be kept.
fn check_modifications(value: &Value, is_modify: bool) -> Result<(), Problem> {
    if !value.is_object() {
        return Err(match is_modify {
            true => Problem::new(Code::InvalidAnswer, PLAN_SHAPE),
            false => Problem::field(MODIFICATIONS, "a JSON object, or the text of one"),
        });
    }
    json::check_depth(MODIFICATIONS, value)?;
    if value.to_string().len() > MAX_MODIFICATIONS {
        let detail = "`modifications` is larger than 64 KiB.";
        return Err(Problem::new(Code::TooLarge, detail));
    }
    Ok(())
}

fn check_size(feedback: &Option<String>, detail: &str) -> Result<(), Problem> {
    match feedback {
        Some(text) if text.len() > CONTENT_BYTES => Err(Problem::new(Code::TooLarge, detail)),
        _ => Ok(()),
    }
}

/// An approval with its answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// This answer was committed.
    Now(ApprovalRow),
    /// The approval had this answer already, and nothing changed.
    Before(ApprovalRow),
}

impl Resolved {
    /// The approval's row.
    pub const fn row(&self) -> &ApprovalRow {
        match self {
            Self::Now(row) | Self::Before(row) => row,
        }
    }
}

impl App {
    /// Answers an approval of the caller's session, and publishes the commit. The answer that the
    /// approval has already changes nothing.
    ///
    /// # Errors
    /// `session_not_found`, `approval_not_found`, `approval_resolved`, `approval_cancelled`,
    /// `approval_expired`, `not_an_option`, `invalid_answer`, `too_large`, `unavailable`; the
    /// approval does not change.
    pub async fn resolve(
        &self,
        outbox: &Outbox,
        caller: &Caller,
        (session, approval): (SessionId, ApprovalId),
        given: AnswerInput,
        now: Timestamp,
    ) -> Result<Resolved, Problem> {
        let actor = Actor::Client(caller.owner.clone());
        let (state, row) = self.sessions.approval(session, &actor, approval).await?;
        if row.status != ApprovalStatus::Pending {
            return closed(row, &given);
        }
        if row.expires_at <= now {
            return Err(Refusal::ApprovalLapsed.into());
        }
        let answer = given.clone().by(caller, &row)?;
        self.check(&state, &row, &answer).await?;
        let command = Command::Answer(answer.clone());
        match self.change_on(outbox, state, &command, now).await {
            Ok(_) => Ok(Resolved::Now(resolved(row, answer, now))),
            // Another answer was first: the row has it.
            Err(problem) if problem.code() == Code::ApprovalNotFound => {
                let (_, row) = self.sessions.approval(session, &actor, approval).await?;
                closed(row, &given)
            }
            Err(problem) => Err(problem),
        }
    }

    /// Checks whether the run can use the answer.
    async fn check(
        &self,
        state: &State,
        row: &ApprovalRow,
        answer: &ApprovalAnswer,
    ) -> Result<(), Problem> {
        let config = self
            .sessions
            .run_config(state.session_id, row.run_id)
            .await?;
        let config = ClientConfig::stored(config).value()?;
        // The run was started with it.
        let settings = RunSettings::parse(state.mode, &config).map_err(Problem::internal)?;
        check_answer(&settings, &row.checkpoint_type, answer)
            .map_err(|error| Problem::new(Code::InvalidAnswer, error.to_string()))
    }
}

/// The reply to an answer of a closed approval.
fn closed(row: ApprovalRow, given: &AnswerInput) -> Result<Resolved, Problem> {
    match row.status {
        ApprovalStatus::Resolved if given.is_that_of(&row) => Ok(Resolved::Before(row)),
        ApprovalStatus::Resolved => Err(Problem::new(
            Code::ApprovalResolved,
            format!(
                "The approval was already answered by {} with {}{}.",
                row.resolved_by.as_deref().unwrap_or("another person"),
                row.resolution.as_deref().unwrap_or("something else"),
                match given.option(&row.options) == row.resolution.as_deref() {
                    true => " and other feedback or modifications",
                    false => "",
                }
            ),
        )),
        ApprovalStatus::Cancelled => Err(Problem::new(
            Code::ApprovalCancelled,
            "The approval's run was cancelled; it needs no answer any more.",
        )),
        ApprovalStatus::Expired => Err(Refusal::ApprovalLapsed.into()),
        // One commit closes the row and the state, which refused the answer.
        ApprovalStatus::Pending => Err(Refusal::NoSuchApproval.into()),
    }
}

/// The approval's row, as the commit has written it.
fn resolved(row: ApprovalRow, answer: ApprovalAnswer, now: Timestamp) -> ApprovalRow {
    ApprovalRow {
        status: ApprovalStatus::Resolved,
        resolution: Some(answer.resolution),
        feedback: answer.feedback,
        modifications: answer.modifications,
        resolved_by: Some(answer.by),
        resolved_at: Some(now),
        ..row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(text: &str) -> Result<AnswerInput, Problem> {
        AnswerInput::of(crate::JsonObject::parse(text).unwrap().read()?)
    }

    fn options(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_answer_has_many_spellings_and_one_meaning() {
        let plan = options(&["approve", "reject", "revise", "modify"]);
        for (text, meaning) in [
            (r#"{"approved": true}"#, Some("approve")),
            (r#"{"approved": false}"#, Some("reject")),
            (r#"{"resolution": "approved"}"#, Some("approve")),
            (r#"{"resolution": "rejected"}"#, Some("reject")),
            (r#"{"resolution": "modified"}"#, Some("modify")),
            (
                r#"{"resolution": "revise", "approved": true}"#,
                Some("revise"),
            ),
            (r#"{"resolution": null, "approved": true}"#, Some("approve")),
            (r#"{"resolution": "skip"}"#, None),
        ] {
            assert_eq!(given(text).unwrap().option(&plan), meaning, "{text}");
        }
        let ideas = options(&["option_1", "option_2", "custom"]);
        let yes = given(r#"{"approved": true}"#).unwrap();
        assert_eq!(yes.option(&ideas), None, "there is no yes to a choice");
    }

    #[test]
    fn modifications_are_an_object_or_the_text_of_one_and_a_blank_text_is_none() {
        let with = |value: &str| {
            given(&format!(
                r#"{{"approved": true, "modifications": {value}}}"#
            ))
        };
        for value in [r#"{"plan": []}"#, r#""{\"plan\": []}""#] {
            let plan = with(value).unwrap().modifications;
            assert_eq!(plan, Some(json!({"plan": []})));
        }
        for nothing in ["null", r#""""#, r#"" \n""#] {
            assert_eq!(with(nothing).unwrap().modifications, None);
        }
        for value in ["[]", "1", r#""x""#, r#""[]""#] {
            let problem = with(value).unwrap_err();
            assert_eq!(problem.code(), Code::InvalidField, "{value}");
        }
    }

    #[test]
    fn modifications_that_cannot_be_kept_are_refused() {
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let text = |json: String| Value::from(json).to_string();
        for resolution in ["approve", "modify"] {
            let with = |value: &str| {
                given(&format!(
                    r#"{{"resolution": "{resolution}", "modifications": {value}}}"#
                ))
            };
            assert!(with(&nested(json::MAX_DEPTH)).is_ok());
            for deep in [nested(33), nested(125), text(nested(33)), text(nested(500))] {
                let problem = with(&deep).unwrap_err();
                assert_eq!(problem.code(), Code::InvalidField);
                let sentence = "`modifications` must be nested at most 32 deep.";
                assert_eq!(problem.to_string(), sentence);
            }
            let filled = |n: usize| format!(r#"{{"a": "{}"}}"#, "x".repeat(n));
            assert!(with(&filled(MAX_MODIFICATIONS - 8)).is_ok());
            let large = with(&filled(MAX_MODIFICATIONS - 7)).unwrap_err();
            assert_eq!(large.code(), Code::TooLarge);
        }
    }

    #[test]
    fn a_modify_in_words_is_a_revise_and_json_that_is_no_plan_is_refused() {
        let plan = options(&["approve", "reject", "revise", "modify"]);
        let modify = |value: &str| {
            given(&format!(
                r#"{{"resolution": "modified", "feedback": "", "modifications": {value}}}"#
            ))
        };
        let words = modify(r#""Begin with the moon.""#).unwrap();
        assert_eq!(words.option(&plan), Some("revise"));
        assert_eq!(words.feedback.as_deref(), Some("Begin with the moon."));
        assert_eq!(words.modifications, None);
        // After the last revision the words have no option that takes them.
        assert_eq!(words.option(&options(&["approve", "modify"])), None);
        for value in ["[]", "1", r#""[]""#] {
            let problem = modify(value).unwrap_err();
            assert_eq!(problem.code(), Code::InvalidAnswer, "{value}");
            assert!(problem.to_string().contains("sub_task_agent"), "{problem}");
        }
    }

    #[test]
    fn exit_is_abort_where_there_is_no_exit() {
        let exit = given(r#"{"resolution": "exit"}"#).unwrap();
        let clarification = options(&["submit", "abort"]);
        assert_eq!(exit.option(&clarification), Some("abort"));
        let turn = options(&["submit", "continue", "done", "exit"]);
        assert_eq!(exit.option(&turn), Some("exit"));
        assert_eq!(exit.option(&options(&["option_1", "custom"])), None);
    }

    #[test]
    fn an_answer_says_something_of_at_most_32_kib() {
        for text in ["{}", r#"{"approved": "yes"}"#, r#"{"resolution": 1}"#] {
            assert_eq!(given(text).unwrap_err().code(), Code::InvalidField);
        }
        let saying = |length: usize| {
            let words = "x".repeat(length);
            given(&format!(r#"{{"approved": true, "feedback": "{words}"}}"#))
        };
        assert!(saying(CONTENT_BYTES).is_ok());
        let long = saying(CONTENT_BYTES + 1).unwrap_err();
        assert_eq!(long.code(), Code::TooLarge);
    }
}
