//! Planning by outline: what the task lists or asks for becomes steps; where it does neither, its weightiest sentences do.
//! The review measures a plan against the task with the same yardstick, and a revision mends what the review measures.

use super::text::{self, Kind, Sentence, Words};
use crate::{Brief, Plan, PlanStep, Review, StepAgent};

/// Steps that a text without lists is broken into, beside the one that brings the results together.
const STEPS_FROM_PROSE: usize = 4;
/// Points that a step is given from the text.
const POINTS: usize = 3;
/// Sentences of the task that a plan has to cover.
const KEY_SENTENCES: usize = 8;
/// A sentence is covered by a step that has this part of its words.
const COVERED: f64 = 0.5;
/// Limits of a [`PlanStep`].
const LONGEST_POINT: usize = 400;
const MOST_POINTS: usize = 12;

const CONCLUSION: &str =
    "Bring the results of the steps before together into one answer to the task.";
const NOT_COVERED: &str = "No step covers this part of the task: ";
const HEED: &str = "Heed: ";

/// Words that call for a program.
const PROGRAM_WORDS: &str = "algorithm calculate calculation code compute implement implementation plot program \
programme python script simulate simulation software statistic";

/// A first plan.
pub(super) fn draft(brief: &Brief) -> Plan {
    let sentences = text::sentences(&brief.task);
    let most = brief.max_steps.max(1) as usize;
    let concludes = most > 1;
    let units = units(&sentences);
    let per_step = units.len().div_ceil(most - usize::from(concludes)).max(1);
    let mut steps: Vec<PlanStep> = units
        .chunks(per_step)
        .map(|units| step(units, &sentences))
        .collect();
    if steps.is_empty() {
        steps.push(new_step(&brief.task));
    }
    if concludes && steps.len() > 1 {
        steps.push(new_step(CONCLUSION));
    }
    heed(&mut steps, [brief.instructions.as_str()]);
    Plan { steps }
}

/// The plan of the brief, without its doubles, with what it left out, and with what a human asked for.
pub(super) fn revise(brief: &Brief) -> Plan {
    let mut steps = brief.plan.clone();
    while let Some((kept, double)) = doubles(&steps).first().copied() {
        let points = steps.remove(double).bullet_points;
        steps[kept].bullet_points.extend(points);
    }
    for sentence in uncovered(&brief.task, &steps) {
        let nearest = (0..steps.len())
            .filter(|&i| steps[i].sub_task != CONCLUSION)
            .max_by(|&a, &b| {
                let share = |i: usize| text::covered(&sentence.words, &words_of(&steps[i]));
                share(a).total_cmp(&share(b)).then(b.cmp(&a))
            });
        if let Some(step) = nearest.and_then(|i| steps.get_mut(i)) {
            step.bullet_points
                .push(text::clip(&sentence.text, LONGEST_POINT));
        }
    }
    let room = steps.len() < brief.max_steps as usize;
    if lacks_conclusion(&steps) && room {
        steps.push(new_step(CONCLUSION));
    }
    steps.truncate(brief.max_steps.max(1) as usize);
    for step in &mut steps {
        step.bullet_points.truncate(MOST_POINTS);
    }
    let wishes = brief.remarks.iter().map(String::as_str);
    heed(&mut steps, wishes.filter(|remark| !is_ours(remark)));
    Plan { steps }
}

/// What a plan lacks, by comparing it with the task.
pub(super) fn review(brief: &Brief) -> Review {
    let mut recommendations: Vec<String> = doubles(&brief.plan)
        .into_iter()
        .map(|(a, b)| {
            format!(
                "Step {} says what step {} says: make them one.",
                b + 1,
                a + 1
            )
        })
        .collect();
    recommendations.extend(uncovered(&brief.task, &brief.plan).iter().map(|sentence| {
        format!(
            "{NOT_COVERED}“{}”",
            text::clip(&sentence.text, LONGEST_POINT)
        )
    }));
    if lacks_conclusion(&brief.plan) && brief.plan.len() < brief.max_steps as usize {
        recommendations.push(
            "Step 1 and those after it have no end: add a step that brings the results together."
                .to_owned(),
        );
    }
    Review {
        approved: recommendations.is_empty(),
        recommendations,
    }
}

/// What becomes a step: items of lists, else headings, else what the text asks for, else its weightiest sentences.
pub(super) fn units(sentences: &[Sentence]) -> Vec<&Sentence> {
    let outlines: [fn(&Sentence) -> bool; 3] = [
        |sentence| sentence.kind == Kind::Item,
        |sentence| sentence.kind == Kind::Heading,
        Sentence::is_request,
    ];
    for belongs in outlines {
        let units: Vec<_> = sentences
            .iter()
            .filter(|sentence| belongs(sentence))
            .collect();
        if units.len() > 1 {
            return units;
        }
    }
    text::key_sentences(sentences, &Words::new(), STEPS_FROM_PROSE)
}

/// A step for one unit; further ones become its points.
fn step(units: &[&Sentence], sentences: &[Sentence]) -> PlanStep {
    let mut step = new_step(&units[0].text);
    let near = text::key_sentences(sentences, &units[0].words, POINTS + units.len());
    step.bullet_points = units[1..]
        .iter()
        .chain(
            near.iter()
                .filter(|near| !units.contains(near))
                .take(POINTS),
        )
        .take(MOST_POINTS)
        .map(|sentence| text::clip(&sentence.text, LONGEST_POINT))
        .collect();
    step
}

/// Whether a text calls for a program.
pub(super) fn wants_program(text: &str) -> bool {
    !text::words(text).is_disjoint(&text::words(PROGRAM_WORDS))
}

fn new_step(sub_task: &str) -> PlanStep {
    PlanStep {
        sub_task: text::clip(sub_task, LONGEST_POINT),
        sub_task_agent: if wants_program(sub_task) {
            StepAgent::Engineer
        } else {
            StepAgent::Researcher
        },
        bullet_points: Vec::new(),
    }
}

/// Gives the last step the wishes as points, before any other point that it has no room for.
fn heed<'a>(steps: &mut [PlanStep], wishes: impl IntoIterator<Item = &'a str>) {
    let wishes: Vec<String> = wishes
        .into_iter()
        .filter(|wish| !wish.trim().is_empty())
        .take(MOST_POINTS)
        .map(|wish| format!("{HEED}{}", text::clip(wish, LONGEST_POINT)))
        .collect();
    if let Some(last) = steps.last_mut() {
        last.bullet_points.truncate(MOST_POINTS - wishes.len());
        last.bullet_points.extend(wishes);
    }
}

fn is_ours(remark: &str) -> bool {
    remark.starts_with("Step ") || remark.starts_with(NOT_COVERED)
}

fn words_of(step: &PlanStep) -> Words {
    text::words(&format!(
        "{} {}",
        step.sub_task,
        step.bullet_points.join(" ")
    ))
}

/// Pairs of steps that say the same, the later one second.
fn doubles(steps: &[PlanStep]) -> Vec<(usize, usize)> {
    let words: Vec<Words> = steps
        .iter()
        .map(|step| text::words(&step.sub_task))
        .collect();
    (0..steps.len())
        .flat_map(|a| (a + 1..steps.len()).map(move |b| (a, b)))
        .filter(|&(a, b)| text::alike(&words[a], &words[b]))
        .collect()
}

/// Key sentences of the task that no step takes up.
fn uncovered(task: &str, steps: &[PlanStep]) -> Vec<Sentence> {
    let sentences = text::sentences(task);
    let steps: Vec<Words> = steps.iter().map(words_of).collect();
    text::key_sentences(&sentences, &Words::new(), KEY_SENTENCES)
        .into_iter()
        .filter(|sentence| {
            steps
                .iter()
                .all(|step| text::covered(&sentence.words, step) < COVERED)
        })
        .cloned()
        .collect()
}

fn lacks_conclusion(steps: &[PlanStep]) -> bool {
    let last = steps
        .last()
        .map(|step| text::words(&step.sub_task))
        .unwrap_or_default();
    let concludes =
        text::words("together summary summarise summarize conclude conclusion combine report");
    steps.len() > 1 && last.is_disjoint(&concludes)
}
