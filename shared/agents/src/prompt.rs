//! Builds the conversation for a language model: the agent's prompt file as the system message, the
//! brief as the user message.
//!
//! A prompt file is Markdown with three optional placeholders: `{{max_steps}}`, the maximum number
//! of steps of a plan, `{{team}}`, a line about each agent that can do a step, and `{{schema}}`,
//! the JSON schema of the answer. Client text never becomes part of a system message.

use std::fmt::Write as _;

use serde_json::Value;

use session::PlanStep;
use workflow::Brief;

use crate::{Agent, PaperBrief, form::Misfit, provider::ChatMessage};

/// The part of an invalid answer that is returned to the model, in bytes.
const LONGEST_ECHO: usize = 8 * 1024;

const fn template(agent: Agent) -> &'static str {
    match agent {
        Agent::Planner => include_str!("../prompts/planner.md"),
        Agent::PlanReviewer => include_str!("../prompts/plan_reviewer.md"),
        Agent::Researcher => include_str!("../prompts/researcher.md"),
        Agent::Engineer => include_str!("../prompts/engineer.md"),
        Agent::IdeaMaker => include_str!("../prompts/idea_maker.md"),
        Agent::IdeaHater => include_str!("../prompts/idea_hater.md"),
        Agent::CopilotControl => include_str!("../prompts/copilot_control.md"),
        Agent::Summarizer => include_str!("../prompts/summarizer.md"),
    }
}

/// The first messages of a call.
pub(crate) fn messages(
    agent: Agent,
    brief: &Brief,
    paper: Option<&PaperBrief>,
    schema: &Value,
) -> Vec<ChatMessage> {
    let system = template(agent)
        .replace("{{max_steps}}", &brief.max_steps.to_string())
        .replace("{{team}}", &team(&brief.team))
        .replace("{{schema}}", &format!("{schema:#}"));
    vec![
        ChatMessage::System(system),
        ChatMessage::User(question(brief, paper)),
    ]
}

/// The two messages that ask for a corrected answer.
pub(crate) fn ask_again(answer: &str, misfit: &Misfit) -> [ChatMessage; 2] {
    let end = answer.floor_char_boundary(LONGEST_ECHO);
    let echo = if answer.trim().is_empty() {
        "(no answer)"
    } else {
        &answer[..end]
    };
    [
        ChatMessage::Assistant(echo.to_owned()),
        ChatMessage::User(format!(
            "{}\n\nAnswer again, with the whole JSON object and nothing else.",
            misfit.for_model()
        )),
    ]
}

/// The brief as text: a heading and content for each non-empty part.
fn question(brief: &Brief, paper: Option<&PaperBrief>) -> String {
    let history = brief
        .history
        .iter()
        .map(|turn| format!("**{}**: {}", turn.speaker, turn.text));
    let done = brief
        .done
        .iter()
        .enumerate()
        .map(|(i, step)| format!("{}. {}\n   Result: {}", i + 1, step.sub_task, step.summary));
    let step = brief.step.as_ref().map(describe).unwrap_or_default();
    let remarks = join(brief.remarks.iter().map(|r| format!("- {r}")), "\n");
    let (of_plan, of_step) = match brief.step {
        None => (remarks, String::new()),
        Some(_) => (String::new(), remarks),
    };
    let of_paper = paper.map(written_out).unwrap_or_default();
    let parts = [
        ("What was said before", join(history, "\n\n")),
        ("Task", brief.task.clone()),
        ("Instructions", brief.instructions.clone()),
        ("Plan", numbered(&brief.plan)),
        ("What was criticised in this plan", of_plan),
        ("Steps done so far", join(done, "\n")),
        ("Your step", step),
        ("What the user says about this step", of_step),
        ("The paper", of_paper),
    ];
    let mut text = String::new();
    for (heading, content) in parts
        .iter()
        .filter(|(_, content)| !content.trim().is_empty())
    {
        let _ = write!(text, "# {heading}\n\n{}\n\n", content.trim());
    }
    text
}

/// The known fields of a paper, then its text.
fn written_out(paper: &PaperBrief) -> String {
    let authors = paper.authors.join(", ");
    let lines = [
        ("arXiv id", &paper.id),
        ("Title", &paper.title),
        ("Authors", &authors),
        ("Published", &paper.published),
        ("Abstract", &paper.abstract_text),
        ("Text", &paper.text),
    ];
    let lines = lines.iter().filter(|(_, value)| !value.trim().is_empty());
    join(
        lines.map(|(name, value)| format!("**{name}**: {}", value.trim())),
        "\n\n",
    )
}

/// A line about each agent of the team.
fn team(team: &[String]) -> String {
    let described = team.iter().map(|id| {
        let agent = id.parse::<Agent>().ok();
        let description = agent.and_then(Agent::step_description).unwrap_or_default();
        format!("- `{id}` {description}")
    });
    join(described, "\n")
}

fn numbered(plan: &[PlanStep]) -> String {
    join(
        plan.iter()
            .enumerate()
            .map(|(i, step)| format!("{}. {}", i + 1, describe(step))),
        "\n",
    )
}

fn describe(step: &PlanStep) -> String {
    let agent = &step.sub_task_agent;
    let points = step
        .bullet_points
        .iter()
        .map(|point| format!("\n   - {point}"));
    format!("{} (by the {agent}){}", step.sub_task, join(points, ""))
}

fn join(lines: impl Iterator<Item = String>, separator: &str) -> String {
    lines.collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_prompt_exists_and_has_no_unfilled_placeholder() {
        for agent in Agent::ALL {
            let system =
                messages(agent, &Brief::default(), None, &json!({"type": "object"})).swap_remove(0);
            let ChatMessage::System(text) = system else {
                panic!("no system message")
            };
            assert!(text.starts_with("You "), "{agent}");
            assert!(
                text.contains("\"type\": \"object\""),
                "{agent}'s prompt lacks its schema"
            );
            assert!(!text.contains("{{"), "{agent} has an unknown placeholder");
        }
    }

    #[test]
    fn planner_and_reviewer_prompts_describe_the_team() {
        let brief = Brief {
            team: ["idea_maker", "idea_hater"].map(str::to_owned).to_vec(),
            ..Brief::default()
        };
        for agent in [Agent::Planner, Agent::PlanReviewer] {
            let system = |brief| messages(agent, brief, None, &json!({})).swap_remove(0);
            let (ideas, default) = (system(&brief), system(&Brief::default()));
            assert!(ideas.text().contains("\n- `idea_maker` finds ideas"));
            assert!(ideas.text().contains("\n- `idea_hater` criticises"));
            assert!(!ideas.text().contains("`engineer`"));
            assert!(default.text().contains("\n- `engineer` writes a program"));
            assert!(!default.text().contains("`idea_maker`"));
        }
    }

    #[test]
    fn remarks_on_a_step_differ_from_criticism_of_the_plan() {
        let step = PlanStep {
            sub_task: "Read".to_owned(),
            sub_task_agent: "researcher".into(),
            bullet_points: vec![],
        };
        let mut brief = Brief {
            plan: vec![step.clone()],
            remarks: vec!["Shorter".to_owned()],
            ..Brief::default()
        };
        assert!(question(&brief, None).contains("# What was criticised in this plan\n\n- Shorter"));
        brief.step = Some(step);
        let text = question(&brief, None);
        assert!(text.contains("# What the user says about this step\n\n- Shorter"));
        assert!(!text.contains("criticised"));
    }

    #[test]
    fn a_placeholder_in_a_task_is_not_replaced() {
        let brief = Brief {
            task: "{{schema}} {{max_steps}}".to_owned(),
            ..Brief::default()
        };
        let question = messages(Agent::Planner, &brief, None, &json!({})).swap_remove(1);
        assert!(question.text().contains("{{schema}} {{max_steps}}"));
    }

    #[test]
    fn a_long_invalid_answer_is_echoed_in_part() {
        let answer = "ä".repeat(LONGEST_ECHO);
        let [echo, _] = ask_again(&answer, &Misfit::Empty);
        assert_eq!(echo.text().len(), LONGEST_ECHO);
    }
}
