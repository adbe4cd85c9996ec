//! The review of a plan: it is measured against its task, by the words that they share. A revision (`plan`) mends what is
//! measured here.

use super::{
    plan::LONGEST_POINT,
    text::{self, Sentence, Words},
};
use crate::Review;
use session::PlanStep;
use workflow::{Brief, agent};

/// Sentences of the task that a plan has to cover.
pub(super) const KEY_SENTENCES: usize = 8;
/// A sentence is covered by a step that has this part of its words.
const COVERED: f64 = 0.5;

const NOT_COVERED: &str = "No step covers this part of the task: ";

/// What a plan lacks, by comparing it with the task.
pub(super) fn write(brief: &Brief) -> Review {
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

/// Whether a remark is the reviewer's, whose faults a revision finds by itself.
pub(super) fn is_ours(remark: &str) -> bool {
    remark.starts_with("Step ") || remark.starts_with(NOT_COVERED)
}

/// The telling words of a step with its points.
pub(super) fn words_of(step: &PlanStep) -> Words {
    text::words(&format!(
        "{} {}",
        step.sub_task,
        step.bullet_points.join(" ")
    ))
}

/// Pairs of steps that say the same, the later one second. Ideas are made and criticised in rounds, so what is said again
/// after another step is another round.
pub(super) fn doubles(steps: &[PlanStep]) -> Vec<(usize, usize)> {
    let words: Vec<Words> = steps
        .iter()
        .map(|step| text::words(&step.sub_task))
        .collect();
    (0..steps.len())
        .flat_map(|a| (a + 1..steps.len()).map(move |b| (a, b)))
        .filter(|&(a, b)| text::alike(&words[a], &words[b]) && (b == a + 1 || !is_round(&steps[b])))
        .collect()
}

fn is_round(step: &PlanStep) -> bool {
    [agent::IDEA_MAKER, agent::IDEA_HATER].contains(&step.sub_task_agent.as_str())
}

/// Key sentences of the task that no step takes up.
pub(super) fn uncovered(task: &str, steps: &[PlanStep]) -> Vec<Sentence> {
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

/// Whether several steps end without one that brings them together.
pub(super) fn lacks_conclusion(steps: &[PlanStep]) -> bool {
    let last = steps
        .last()
        .map(|step| text::words(&step.sub_task))
        .unwrap_or_default();
    let concludes =
        text::words("together summary summarise summarize conclude conclusion combine report");
    steps.len() > 1 && last.is_disjoint(&concludes)
}
