//! Agents with scripted answers.

use session::{Mode, PlanStep, Route, RouteKind, Stage};
use workflow::{
    AgentAnswer, AgentRequest, AnswerContent, DocumentTask, DocumentTaskResult, Outcome,
    StageFailure, Usage, agent,
};

/// A valid answer to a request. A plan has this many steps, the second one for the engineer.
pub fn good(request: &AgentRequest, steps: usize) -> Outcome {
    let content = match request.agent.as_str() {
        agent::PLANNER => AnswerContent::Plan(plan_of(steps, &request.brief.team)),
        agent::PLAN_REVIEWER => AnswerContent::Review(vec!["Name the sources.".into()]),
        agent::ENGINEER => AnswerContent::Program,
        agent::IDEA_MAKER => AnswerContent::Ideas(vec!["A clock".into(), "A kite".into()]),
        agent::COPILOT_CONTROL => return routed(RouteKind::OneShot),
        _ => AnswerContent::Report,
    };
    let artifact =
        (content == AnswerContent::Program).then(|| format!("{}-program.py", request.node));
    Outcome::Answer(AgentAnswer {
        content,
        message: format!("{} on {}", request.agent, request.node),
        summary: format!("what came of {}", request.node),
        artifact,
        usages: vec![usage()],
    })
}

/// A review without remarks.
pub fn approval() -> Outcome {
    Outcome::Answer(AgentAnswer {
        content: AnswerContent::Review(Vec::new()),
        message: "The plan can stand.".into(),
        summary: "approved".into(),
        artifact: None,
        usages: vec![usage()],
    })
}

/// A temporary failure of the provider.
pub fn transient() -> Outcome {
    failed("The model is not available.", "model_unavailable", true)
}

/// A permanent failure of the agent.
pub fn permanent() -> Outcome {
    failed("No answer fitted its form.", "answer_misfit", false)
}

/// Copilot's decision.
pub fn routed(kind: RouteKind) -> Outcome {
    Outcome::Answer(AgentAnswer {
        content: AnswerContent::Route(Route {
            kind,
            agent: agent::RESEARCHER.into(),
        }),
        message: "copilot_control on routing".into(),
        summary: "routed".into(),
        artifact: None,
        usages: vec![usage()],
    })
}

/// The result of a document task. The first one finds two pages to read, or two papers to download
/// and to summarise. The others are done at once.
pub fn unit(mode: Mode, document: &DocumentTask) -> Outcome {
    let DocumentTask {
        stage,
        index,
        total,
        ..
    } = document;
    let follow = match (mode, stage) {
        (Mode::Ocr, Stage::Extract) | (_, Stage::Summarize) => 2,
        // Metadata, two papers, and the list of results.
        (_, Stage::Download) => 4,
        _ => 0,
    };
    let is_paper = *stage == Stage::Download && (2..*total).contains(index);
    let asked = document.request.is_some() && *stage == Stage::Summarize;
    Outcome::DocumentTask(DocumentTaskResult {
        line: format!("{stage:?}: unit {index} is done."),
        total: (*index == 0).then_some(follow),
        artifacts: is_paper
            .then(|| format!("{index}.pdf"))
            .into_iter()
            .collect(),
        usages: asked.then(usage).into_iter().collect(),
        message: (*stage == Stage::Output).then(|| "It is written.".into()),
    })
}

/// A plan for researcher and engineer.
pub fn plan(steps: usize) -> Vec<PlanStep> {
    plan_of(steps, &[agent::RESEARCHER, agent::ENGINEER])
}

/// A plan whose second step is for the second agent of the team.
fn plan_of(steps: usize, team: &[impl AsRef<str>]) -> Vec<PlanStep> {
    (1..=steps)
        .map(|number| PlanStep {
            sub_task: format!("Part {number}"),
            sub_task_agent: team[usize::from(number == 2)].as_ref().into(),
            bullet_points: vec!["be exact".into()],
        })
        .collect()
}

fn failed(error: &str, code: &str, retryable: bool) -> Outcome {
    Outcome::Failure(StageFailure {
        error: error.into(),
        code: code.into(),
        error_type: "ModelError".into(),
        retryable,
        calls: 1,
        usages: vec![usage()],
    })
}

fn usage() -> Usage {
    Usage {
        model: "offline/extract-1".into(),
        input_tokens: 100,
        output_tokens: 20,
        cost_usd: Some(0.25),
        estimated: false,
    }
}
