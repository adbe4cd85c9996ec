//! Plans, their review, and the copilot's choice whether to plan at all.
//!
//! The items of the task's list become steps, or else some of its sentences do. For a team that
//! makes ideas, the list of the instructions is the plan. A review names sentences of the task that
//! no step contains. A revision adds the remarks to the last step.

use serde_json::{Value, json};
use session::PlanStep;
use workflow::{Brief, agent};

use super::text::{self, LONGEST, Sentence};

/// Steps that a task without a list is broken into, beside the one that concludes.
const STEPS_FROM_PROSE: usize = 3;
/// Sentences of the task that a plan has to contain, and parts that a proposal lists.
const KEY_SENTENCES: usize = 8;
/// Points of a step, and characters of one that repeats a wish; the schema of a plan allows 500.
const MOST_POINTS: usize = 12;
const LONGEST_WISH: usize = 450;
/// A task whose words take fewer bytes is unclear. A sentence without spaces counts as one word.
const CLEAR_BYTES: usize = 8;

const CONCLUSION: &str =
    "Bring the results of the steps before together into one answer to the task.";
const PROGRAM_WORDS: &str =
    "algorithm calculate code compute plot program programs python script simulate software";

/// A first plan. Where there is room, its last step concludes.
pub(super) fn draft(brief: &Brief) -> Vec<PlanStep> {
    let max_steps = brief.max_steps.max(1) as usize;
    let makes_ideas = brief.team.iter().any(|id| id == agent::IDEA_MAKER);
    let instructions = text::sentences(&brief.instructions).into_iter();
    let (rounds, wishes): (Vec<_>, Vec<_>) =
        instructions.partition(|sentence| makes_ideas && sentence.is_item);
    let task = text::sentences(&brief.task);
    let units = match &rounds[..] {
        [] => units(&task),
        rounds => units(rounds),
    };
    let joined = units.chunks(units.len().div_ceil(max_steps).max(1));
    let mut steps: Vec<PlanStep> = joined.map(|units| new_step(makes_ideas, units)).collect();
    if let (true, Some(first)) = (makes_ideas, steps.first_mut()) {
        // The first step makes the ideas, so it needs the subject.
        first.bullet_points = text::spread(&task, KEY_SENTENCES);
    } else if (2..max_steps).contains(&steps.len()) {
        steps.push(new_step(makes_ideas, &[CONCLUSION.to_owned()]));
    }
    // A line that leads to the list is no wish.
    let wishes = wishes.into_iter().map(|wish| wish.text);
    let wishes: Vec<String> = wishes.filter(|wish| !wish.ends_with(':')).collect();
    heed(&mut steps, &wishes);
    steps
}

/// The plan, with what a reviewer or a person asks for.
pub(super) fn revise(brief: &Brief) -> Vec<PlanStep> {
    let mut steps = brief.plan.clone();
    steps.truncate(brief.max_steps.max(1) as usize);
    heed(&mut steps, &brief.remarks);
    steps
}

/// What the plan leaves out of the task.
pub(super) fn review(brief: &Brief) -> Value {
    let mut missing = text::spread(&text::sentences(&brief.task), KEY_SENTENCES);
    for step in &brief.plan {
        let points = step.bullet_points.join("\n");
        missing.retain(|part| !step.sub_task.contains(part) && !points.contains(part));
    }
    let remark = |part: &String| format!("Cover this part of the task: “{part}”");
    let remarks: Vec<String> = missing.iter().map(remark).collect();
    json!({"approved": remarks.is_empty(), "recommendations": remarks})
}

/// The copilot's route: it asks about a short task, proposes on request, and plans a list.
pub(super) fn route(brief: &Brief) -> Value {
    let task = text::sentences(&brief.task);
    let bytes: usize = text::words(&brief.task).iter().map(String::len).sum();
    let mut parts = units(&task);
    parts.truncate(KEY_SENTENCES);
    let parts = parts.join("\n- ");
    let (route, message) = if brief.may_ask && bytes < CLEAR_BYTES {
        let question = format!("“{parts}” says too little. What do you want to have at the end?");
        ("clarify", question)
    } else if brief.may_ask && brief.task.to_lowercase().contains("propos") {
        let proposal = format!("These parts would be done in turn:\n\n- {parts}");
        ("propose", proposal)
    } else if task.iter().any(|sentence| sentence.is_item) {
        ("planned", "The task has items, done in turn.".to_owned())
    } else {
        ("one_shot", "The task asks for one answer.".to_owned())
    };
    json!({"route": route, "agent": worker(&brief.task), "message": message})
}

/// The items of a list, or else sentences at even distances.
fn units(sentences: &[Sentence]) -> Vec<String> {
    let items = sentences.iter().filter(|sentence| sentence.is_item);
    match items.map(|item| item.text.clone()).collect::<Vec<_>>() {
        items if items.len() > 1 => items,
        _ => text::spread(sentences, STEPS_FROM_PROSE),
    }
}

fn worker(text: &str) -> &'static str {
    if text::words(text).is_disjoint(&text::words(PROGRAM_WORDS)) {
        agent::RESEARCHER
    } else {
        agent::ENGINEER
    }
}

fn new_step(makes_ideas: bool, units: &[String]) -> PlanStep {
    let sub_task = units.join(" ");
    let agent = match units {
        [only] if makes_ideas && only.starts_with("Critic") => agent::IDEA_HATER,
        _ if makes_ideas => agent::IDEA_MAKER,
        _ => worker(&sub_task),
    };
    PlanStep {
        sub_task: text::clip(&sub_task, LONGEST),
        sub_task_agent: agent.to_owned(),
        bullet_points: Vec::new(),
    }
}

/// Gives the last step the wishes as points; they displace the oldest that it has no room for.
fn heed(steps: &mut [PlanStep], wishes: &[String]) {
    if let Some(PlanStep { bullet_points, .. }) = steps.last_mut() {
        let wishes = wishes.iter().map(|wish| text::clip(wish, LONGEST_WISH));
        bullet_points.extend(wishes.map(|wish| format!("Heed: {wish}")));
        let surplus = bullet_points.len().saturating_sub(MOST_POINTS);
        bullet_points.drain(..surplus);
    }
}
