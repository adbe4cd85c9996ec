//! Plans by outline, and their review: what the task lists or asks for becomes steps, or else its
//! weightiest sentences do. For a team that makes ideas, the list of the instructions is the plan.
//! A review names the key sentences of the task that no step covers; a revision adds them.

use serde_json::{Value, json};

use super::{
    Input, Step,
    text::{self, Kind, Sentence, Words},
};

/// Steps that a text without lists is broken into, beside the one that concludes.
const STEPS_FROM_PROSE: usize = 4;
/// Sentences of the task that a plan has to cover.
const KEY_SENTENCES: usize = 8;
/// A step covers a sentence when it has this part of its words.
const COVERED: f64 = 0.5;
/// Characters of a sub-task and of a point, and points of a step; the schema allows a little more.
const LONGEST_SUB_TASK: usize = 1500;
const LONGEST_POINT: usize = 400;
const MOST_POINTS: usize = 12;

const CONCLUSION: &str =
    "Bring the results of the steps before together into one answer to the task.";
const NOT_COVERED: &str = "No step covers this part of the task: ";

const PROGRAM_WORDS: &str = "algorithm calculate calculation code compute implement plot program \
                             programme python script simulate simulation software statistic";
const CRITIC_WORDS: &str = "criticise criticize critic critique weak weakness flaw";
/// Words of a step that makes something, even where it mentions a critique.
const MAKER_WORDS: &str = "choose combine improve pick propose revise select write";

/// A first plan.
pub(super) fn draft(input: &Input) -> Vec<Step> {
    let task = text::sentences(input.task);
    let instructions = text::sentences(input.instructions);
    let (items, prose): (Vec<_>, Vec<_>) = instructions.iter().partition(|s| s.kind == Kind::Item);
    let makes_ideas = input.team.iter().any(|agent| agent == "idea_maker") && !items.is_empty();
    let units = if makes_ideas { items } else { units(&task) };
    let concludes = !makes_ideas && input.max_steps > 1;
    let room = input.max_steps - usize::from(concludes);
    let joined = units
        .chunks(units.len().div_ceil(room).max(1))
        .map(|units| {
            let texts: Vec<&str> = units.iter().map(|unit| &*unit.text).collect();
            new_step(input, &texts.join(" "))
        });
    let mut steps: Vec<Step> = joined.collect();
    if steps.is_empty() {
        steps.push(new_step(input, input.task));
    }
    if makes_ideas {
        // The first step has the ideas, so it is the one that needs the subject.
        let subject = text::key_sentences(&task, &Words::new(), KEY_SENTENCES);
        steps[0].bullet_points = text::clipped(&subject, LONGEST_POINT);
        let wishes = prose.iter().map(|sentence| &*sentence.text);
        heed(&mut steps, wishes.filter(|wish| !wish.ends_with(':')));
    } else {
        if concludes && steps.len() > 1 {
            steps.push(new_step(input, CONCLUSION));
        }
        heed(&mut steps, [input.instructions]);
    }
    steps
}

/// The plan, with what it left out and with what a person asks for.
pub(super) fn revise(input: Input) -> Vec<Step> {
    let task = text::sentences(input.task);
    let missing = uncovered(&task, &input.plan);
    let mut steps = input.plan;
    steps.truncate(input.max_steps);
    if let Some(last) = steps.last_mut() {
        last.bullet_points.extend(missing);
    }
    let remarks = input.remarks.iter().map(String::as_str);
    heed(&mut steps, remarks.filter(|r| !r.starts_with(NOT_COVERED)));
    steps
}

/// What the plan leaves out of the task.
pub(super) fn review(input: &Input) -> Value {
    let task = text::sentences(input.task);
    let missing = uncovered(&task, &input.plan);
    let remarks: Vec<String> = missing
        .iter()
        .map(|point| format!("{NOT_COVERED}“{point}”"))
        .collect();
    json!({"approved": remarks.is_empty(), "recommendations": remarks})
}

/// Items of lists, else headings, else requests, else the weightiest sentences.
pub(super) fn units(sentences: &[Sentence]) -> Vec<&Sentence> {
    let outlines: [fn(&Sentence) -> bool; 3] = [
        |sentence| sentence.kind == Kind::Item,
        |sentence| sentence.kind == Kind::Heading,
        Sentence::is_request,
    ];
    let found = outlines
        .iter()
        .map(|belongs| sentences.iter().filter(|s| belongs(s)).collect());
    found
        .into_iter()
        .find(|units: &Vec<_>| units.len() > 1)
        .unwrap_or_else(|| text::key_sentences(sentences, &Words::new(), STEPS_FROM_PROSE))
}

/// Whether a text calls for a program.
pub(super) fn wants_program(text: &str) -> bool {
    has_any(text, PROGRAM_WORDS)
}

fn has_any(text: &str, of: &str) -> bool {
    !text::words(text).is_disjoint(&text::words(of))
}

fn new_step(input: &Input, sub_task: &str) -> Step {
    let makes_ideas = input.team.iter().any(|agent| agent == "idea_maker");
    let wanted = match sub_task {
        text if makes_ideas && has_any(text, CRITIC_WORDS) && !has_any(text, MAKER_WORDS) => {
            "idea_hater"
        }
        _ if makes_ideas => "idea_maker",
        text if wants_program(text) => "engineer",
        _ => "researcher",
    };
    let chosen = input.team.iter().find(|agent| *agent == wanted);
    Step {
        sub_task: text::clip(sub_task, LONGEST_SUB_TASK),
        sub_task_agent: chosen.unwrap_or(&input.team[0]).clone(),
        bullet_points: Vec::new(),
    }
}

/// Key sentences of the task that no step covers.
fn uncovered(task: &[Sentence], steps: &[Step]) -> Vec<String> {
    let covers = |step: &Step, sentence: &Sentence| {
        let words = text::words(&format!("{} {:?}", step.sub_task, step.bullet_points));
        text::covered(&sentence.words, &words) >= COVERED
    };
    let mut key = text::key_sentences(task, &Words::new(), KEY_SENTENCES);
    key.retain(|sentence| !steps.iter().any(|step| covers(step, sentence)));
    text::clipped(&key, LONGEST_POINT)
}

/// Gives the last step the wishes as points; they displace points that the step has no room for.
fn heed<'a>(steps: &mut [Step], wishes: impl IntoIterator<Item = &'a str>) {
    let wishes = wishes.into_iter().filter(|wish| !wish.trim().is_empty());
    let wishes: Vec<String> = wishes
        .take(MOST_POINTS)
        .map(|wish| format!("Heed: {}", text::clip(wish, LONGEST_POINT)))
        .collect();
    if let Some(last) = steps.last_mut() {
        last.bullet_points.truncate(MOST_POINTS - wishes.len());
        last.bullet_points.extend(wishes);
    }
}
