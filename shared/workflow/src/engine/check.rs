//! Checks the answer to an approval before it is recorded; a refused answer leaves it open.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use session::{ApprovalAnswer, CONTENT_BYTES, PlanStep};

use crate::{
    config::{FieldError, RunSettings},
    modes::{Checkpoint, ModeSpec},
};

/// The most bytes of a plan as JSON. One commit holds the last draft three times (message, plan,
/// graph): the commit must fit an item of 400 KB, and each of the three a frame of 128 KB. The
/// agents' schema check asks the planner again for a smaller plan; a larger one fails its stage.
const MAX_PLAN_BYTES: usize = 64 * 1024;

/// An answer that cannot be used. Its text is a sentence for the client and names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The resolution needs feedback.
    #[error("`feedback` must not be empty with `{0}`.")]
    NoFeedback(String),
    /// A part of the plan is invalid.
    #[error(transparent)]
    Plan(#[from] FieldError),
    /// The plan as a whole is invalid.
    #[error("{0}")]
    WholePlan(String),
}

/// Checks an answer to an approval of this `checkpoint_type`, in a run with these settings.
///
/// # Errors
/// [`AnswerError`] for the first fault.
pub fn check_answer(
    settings: &RunSettings,
    checkpoint: &str,
    answer: &ApprovalAnswer,
) -> Result<(), AnswerError> {
    let no_feedback = answer
        .feedback
        .as_ref()
        .is_none_or(|text| text.trim().is_empty());
    match (Checkpoint::of(checkpoint), answer.resolution.as_str()) {
        (_, "submit" | "custom") if no_feedback => {
            Err(AnswerError::NoFeedback(answer.resolution.clone()))
        }
        (Some(Checkpoint::DuringPlanning), "modify") => {
            plan_of(settings, answer.modifications.as_ref()).map(drop)
        }
        _ => Ok(()),
    }
}

/// What replaces what was asked about.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Modifications {
    /// The plan, with the option `modify`.
    plan: Option<Vec<Step>>,
}

/// A step of a plan.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(expecting = "a step: an object", deny_unknown_fields)]
struct Step {
    /// What is to be done.
    #[schemars(regex(pattern = r"\S"))]
    sub_task: String,
    /// Who does it: an agent of the mode's team.
    sub_task_agent: String,
    /// What to mind.
    bullet_points: Option<Vec<String>>,
}

/// The plan of a `modify`: `modifications.plan`, a list of steps.
pub(crate) fn plan_of(
    settings: &RunSettings,
    modifications: Option<&Value>,
) -> Result<Vec<PlanStep>, AnswerError> {
    let given = modifications.map(serde_path_to_error::deserialize::<_, Modifications>);
    let given = given.transpose().map_err(FieldError::from);
    let steps = given.map(|given| given.unwrap_or_default().plan);
    let steps = steps.map_err(|error| error.within("modifications"))?;
    let steps = steps.ok_or_else(|| FieldError::new("modifications.plan", "a list of steps"))?;
    let team = ModeSpec::of(settings.mode).team;
    let plan: Vec<PlanStep> = (0..)
        .zip(steps)
        .map(|(number, step)| step.checked(team, &format!("modifications.plan[{number}]")))
        .collect::<Result<_, _>>()?;
    check_plan(settings, &plan).map_err(AnswerError::WholePlan)?;
    Ok(plan)
}

impl Step {
    fn checked(self, team: &[&str], place: &str) -> Result<PlanStep, FieldError> {
        let misfit = |field, must_be: &str| FieldError::new(field, must_be).within(place);
        if self.sub_task.trim().is_empty() {
            return Err(misfit("sub_task", "a string that is not empty"));
        }
        if !team.contains(&self.sub_task_agent.as_str()) {
            return Err(misfit(
                "sub_task_agent",
                &format!("one of {}", team.join(", ")),
            ));
        }
        let step = PlanStep {
            sub_task: self.sub_task,
            sub_task_agent: self.sub_task_agent,
            bullet_points: self.bullet_points.unwrap_or_default(),
        };
        if bytes(std::slice::from_ref(&step)) > CONTENT_BYTES {
            return Err(FieldError::new(place, "at most 32 KiB"));
        }
        Ok(step)
    }
}

/// Checks the number of steps and the size of a plan.
pub(crate) fn check_plan(settings: &RunSettings, plan: &[PlanStep]) -> Result<(), String> {
    let (least, most) = (settings.min_plan_steps(), settings.max_plan_steps as usize);
    if !(least..=most).contains(&plan.len()) {
        return Err(format!(
            "The plan has {} steps instead of {least} to {most}.",
            plan.len()
        ));
    }
    let bytes = bytes(plan);
    if bytes > MAX_PLAN_BYTES {
        return Err(format!(
            "The plan has {bytes} bytes; at most {MAX_PLAN_BYTES} fit."
        ));
    }
    Ok(())
}

fn bytes(steps: &[PlanStep]) -> usize {
    serde_json::to_string(steps).map_or(usize::MAX, |text| text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use session::{ApprovalId, Mode};
    use uuid::Uuid;

    use super::*;

    fn checked(checkpoint: &str, resolution: &str, rest: Value) -> Result<(), String> {
        let settings =
            RunSettings::parse(Mode::HitlInteractive, &json!({"maxPlanSteps": 2})).unwrap();
        let answer = ApprovalAnswer {
            approval: ApprovalId::new(Uuid::from_u128(1)),
            resolution: resolution.into(),
            feedback: rest["feedback"].as_str().map(ToOwned::to_owned),
            modifications: rest.get("modifications").cloned(),
            by: "ada".into(),
        };
        check_answer(&settings, checkpoint, &answer).map_err(|error| error.to_string())
    }

    fn modified(plan: Value) -> Result<(), String> {
        let rest = json!({"modifications": {"plan": plan}});
        checked("during_planning", "modify", rest)
    }

    #[test]
    fn an_invalid_plan_is_refused_with_the_position_of_its_fault() {
        let good = json!({"sub_task": "Read.", "sub_task_agent": "researcher"});
        assert_eq!(modified(json!([good])), Ok(()));
        let long = json!({"sub_task": "x".repeat(33_000), "sub_task_agent": "engineer"});
        for (plan, sentence) in [
            (json!("read"), "`modifications.plan` must be a list."),
            (json!([]), "The plan has 0 steps instead of 1 to 2."),
            (
                json!([good, good, good]),
                "The plan has 3 steps instead of 1 to 2.",
            ),
            (
                json!([good, 7]),
                "`modifications.plan[1]` must be a step: an object.",
            ),
            (
                json!([{"sub_task": " ", "sub_task_agent": "engineer"}]),
                "`modifications.plan[0].sub_task` must be a string that is not empty.",
            ),
            (
                json!([good, {"sub_task": "Dream.", "sub_task_agent": "idea_maker"}]),
                "`modifications.plan[1].sub_task_agent` must be one of researcher, engineer.",
            ),
            (
                json!([{"sub_task": "Read.", "sub_task_agent": "researcher", "bullet_points": [1]}]),
                "`modifications.plan[0].bullet_points[0]` must be a string.",
            ),
            (
                json!([good, {"sub_task": "Read.", "sub_task_agent": "engineer", "bullet_point": ["x"]}]),
                "`modifications.plan[1].bullet_point` must be one of sub_task, sub_task_agent, bullet_points.",
            ),
            (
                json!([good, {"sub_task": "Read."}]),
                "`modifications.plan[1].sub_task_agent` must be given.",
            ),
            (
                json!([long]),
                "`modifications.plan[0]` must be at most 32 KiB.",
            ),
        ] {
            assert_eq!(modified(plan), Err(sentence.to_owned()));
        }
        let sentence = "`modifications.plan` must be a list of steps.";
        let none = checked("during_planning", "modify", json!({}));
        assert_eq!(none, Err(sentence.to_owned()));
    }

    #[test]
    fn an_option_that_requires_feedback_is_refused_without_it() {
        for (checkpoint, resolution) in [
            ("copilot_turn", "submit"),
            ("clarification", "submit"),
            ("after_ideas", "custom"),
        ] {
            let sentence = format!("`feedback` must not be empty with `{resolution}`.");
            let blank = json!({"feedback": " \n"});
            assert_eq!(checked(checkpoint, resolution, blank), Err(sentence));
            let words = json!({"feedback": "words"});
            assert_eq!(checked(checkpoint, resolution, words), Ok(()));
        }
        assert_eq!(checked("copilot_turn", "done", json!({})), Ok(()));
        assert_eq!(checked("during_planning", "revise", json!({})), Ok(()));
    }
}
