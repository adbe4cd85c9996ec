//! Checks the answer to an approval before it is recorded; a refused answer leaves it open.

use serde_json::Value;
use session::{ApprovalAnswer, CONTENT_BYTES, PlanStep};

use crate::{
    config::RunSettings,
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
    #[error("`{place}` must be {must_be}.")]
    Plan {
        /// The position, e.g. `modifications.plan[2].sub_task`.
        place: String,
        /// The requirement.
        must_be: String,
    },
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

/// The plan of a `modify`: `modifications.plan`, a list of steps.
pub(crate) fn plan_of(
    settings: &RunSettings,
    modifications: Option<&Value>,
) -> Result<Vec<PlanStep>, AnswerError> {
    let steps = modifications
        .and_then(|given| given.get("plan")?.as_array())
        .ok_or_else(|| misfit("modifications.plan", "a list of steps"))?;
    let team = ModeSpec::of(settings.mode).team;
    let plan: Vec<PlanStep> = (0..)
        .zip(steps)
        .map(|(number, value)| step_of(value, team, &format!("modifications.plan[{number}]")))
        .collect::<Result<_, _>>()?;
    check_plan(settings, &plan).map_err(AnswerError::WholePlan)?;
    Ok(plan)
}

fn step_of(value: &Value, team: &[&str], place: &str) -> Result<PlanStep, AnswerError> {
    let at = |field: &str| format!("{place}.{field}");
    if !value.is_object() {
        return Err(misfit(place, "a step: an object"));
    }
    let sub_task = value.get("sub_task").and_then(Value::as_str);
    let sub_task = sub_task
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| misfit(at("sub_task"), "a string that is not empty"))?;
    let agent = value.get("sub_task_agent").and_then(Value::as_str);
    let agent = agent
        .filter(|agent| team.contains(agent))
        .ok_or_else(|| misfit(at("sub_task_agent"), format!("one of {}", team.join(", "))))?;
    let points = match value.get("bullet_points") {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(list) => list.as_array().and_then(|points| {
            let texts = points.iter().map(|point| Some(point.as_str()?.to_owned()));
            texts.collect::<Option<Vec<_>>>()
        }),
    };
    let step = PlanStep {
        sub_task: sub_task.to_owned(),
        sub_task_agent: agent.to_owned(),
        bullet_points: points.ok_or_else(|| misfit(at("bullet_points"), "a list of strings"))?,
    };
    if bytes(std::slice::from_ref(&step)) > CONTENT_BYTES {
        return Err(misfit(place, "at most 32 KiB"));
    }
    Ok(step)
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

fn misfit(place: impl Into<String>, must_be: impl Into<String>) -> AnswerError {
    AnswerError::Plan {
        place: place.into(),
        must_be: must_be.into(),
    }
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
            (
                json!("read"),
                "`modifications.plan` must be a list of steps.",
            ),
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
                "`modifications.plan[0].bullet_points` must be a list of strings.",
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
