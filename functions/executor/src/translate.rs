//! The engine's request in the agents' words, and their answer in the engine's: neither crate knows the other.

use agents::{
    Agent, AgentCall, Brief, CallError, Content, DoneStep, PlanStep, RouteKind, StepAgent, Turn,
    UnknownAgent, Usage,
};
use workflow::{AgentRequest, StageFailure};

/// The request in the agents' words.
pub(crate) fn call(request: &AgentRequest, history: &[Turn]) -> Result<AgentCall, UnknownAgent> {
    let brief = &request.brief;
    let done = |done: &workflow::DoneStep| DoneStep {
        sub_task: done.sub_task.clone(),
        summary: done.summary.clone(),
    };
    Ok(AgentCall {
        agent: request.agent.parse()?,
        model: request.model.clone(),
        max_cost_usd: request.max_cost_usd,
        brief: Brief {
            task: brief.task.clone(),
            instructions: brief.instructions.clone(),
            history: history.to_vec(),
            plan: brief
                .plan
                .iter()
                .map(step_for_agent)
                .collect::<Result<_, _>>()?,
            remarks: brief.remarks.clone(),
            step: brief.step.as_ref().map(step_for_agent).transpose()?,
            done: brief.done.iter().map(done).collect(),
            max_steps: brief.max_steps,
            team: brief
                .team
                .iter()
                .map(|agent| step_agent(agent))
                .collect::<Result<_, _>>()?,
            may_ask: brief.may_ask,
            paper: None,
        },
    })
}

fn step_for_agent(step: &session::PlanStep) -> Result<PlanStep, UnknownAgent> {
    Ok(PlanStep {
        sub_task: step.sub_task.clone(),
        sub_task_agent: step_agent(&step.sub_task_agent)?,
        bullet_points: step.bullet_points.clone(),
    })
}

fn step_agent(id: &str) -> Result<StepAgent, UnknownAgent> {
    serde_json::from_value(id.into()).map_err(|_| UnknownAgent)
}

fn step_for_record(step: PlanStep) -> session::PlanStep {
    session::PlanStep {
        sub_task: step.sub_task,
        sub_task_agent: Agent::from(step.sub_task_agent).id().into(),
        bullet_points: step.bullet_points,
    }
}

pub(crate) fn content(content: Content) -> workflow::AnswerContent {
    match content {
        Content::Plan(plan) => {
            workflow::AnswerContent::Plan(plan.steps.into_iter().map(step_for_record).collect())
        }
        Content::Review(review) if review.approved => workflow::AnswerContent::Review(Vec::new()),
        Content::Review(review) => workflow::AnswerContent::Review(review.recommendations),
        Content::Report(_) | Content::PaperSummary(_) => workflow::AnswerContent::Report,
        Content::Program(_) => workflow::AnswerContent::Program,
        Content::Ideas(ideas) => {
            let ideas = ideas.ideas.into_iter();
            let told = ideas.map(|idea| format!("{}: {}", idea.title, idea.description));
            workflow::AnswerContent::Ideas(told.collect())
        }
        Content::Route(route) => workflow::AnswerContent::Route(session::Route {
            kind: match route.route {
                RouteKind::OneShot => session::RouteKind::OneShot,
                RouteKind::Planned => session::RouteKind::Planned,
                RouteKind::Clarify => session::RouteKind::Clarify,
                RouteKind::Propose => session::RouteKind::Propose,
            },
            agent: Agent::from(route.agent).id().into(),
        }),
    }
}

pub(crate) fn usage(usage: Usage) -> workflow::Usage {
    workflow::Usage {
        model: usage.model,
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cost_usd: usage.cost_usd,
    }
}

pub(crate) fn failed(error: CallError) -> StageFailure {
    StageFailure {
        error: error.for_client().into(),
        code: error.code().into(),
        error_type: "ModelError".into(),
        retryable: error.is_worth_a_new_invocation(),
        usages: error.usages.into_iter().map(usage).collect(),
    }
}

pub(crate) fn unknown_agent(unknown: &UnknownAgent) -> StageFailure {
    StageFailure {
        error: format!("The plan gives a step to an agent that cannot do it: {unknown}."),
        code: "unknown_agent".into(),
        error_type: "PlanError".into(),
        retryable: false,
        usages: Vec::new(),
    }
}
