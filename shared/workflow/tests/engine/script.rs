//! Agents that answer as they are told.

use session::PlanStep;
use workflow::{Answer, Content, Failed, Outcome, Request, Usage, agent};

/// A good answer to a request: of the planner one of so many steps, the second of them the engineer's.
pub fn good(request: &Request, steps: usize) -> Outcome {
    let content = match request.agent.as_str() {
        agent::PLANNER => Content::Plan(plan(steps)),
        agent::PLAN_REVIEWER => Content::Review(vec!["Name the sources.".into()]),
        agent::ENGINEER => Content::Program,
        _ => Content::Report,
    };
    let artifact = (content == Content::Program).then(|| format!("{}-program.py", request.node));
    Outcome::Answer(Answer {
        content,
        message: format!("{} on {}", request.agent, request.node),
        summary: format!("what came of {}", request.node),
        artifact,
        usages: vec![usage()],
    })
}

/// A review with nothing to say.
pub fn approval() -> Outcome {
    Outcome::Answer(Answer {
        content: Content::Review(Vec::new()),
        message: "The plan can stand.".into(),
        summary: "approved".into(),
        artifact: None,
        usages: vec![usage()],
    })
}

/// The provider fails for now.
pub fn transient() -> Outcome {
    failed("The model is not available.", "model_unavailable", true)
}

/// The agent fails for good.
pub fn permanent() -> Outcome {
    failed("No answer fitted its form.", "answer_misfit", false)
}

pub fn plan(steps: usize) -> Vec<PlanStep> {
    (1..=steps)
        .map(|number| PlanStep {
            sub_task: format!("Part {number}"),
            sub_task_agent: if number == 2 {
                agent::ENGINEER
            } else {
                agent::RESEARCHER
            }
            .into(),
            bullet_points: vec!["be exact".into()],
        })
        .collect()
}

fn failed(error: &str, code: &str, retryable: bool) -> Outcome {
    Outcome::Failure(Failed {
        error: error.into(),
        code: code.into(),
        error_type: "ModelError".into(),
        retryable,
        usages: vec![usage()],
    })
}

fn usage() -> Usage {
    Usage {
        model: "offline/extract-1".into(),
        input_tokens: 100,
        output_tokens: 20,
        cost_usd: Some(0.25),
    }
}
