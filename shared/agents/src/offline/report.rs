//! The researcher's report: the sentences of the given texts that have most to do with the step, the points that the
//! plan gave it, what the steps before found, and the terms that the text turns on.

use super::{
    disclaimer, goal, heard,
    text::{self, Sentence},
};
use crate::Report;
use workflow::{Brief, DoneStep};

/// Sentences quoted in the report, and in its summary.
const QUOTES: usize = 5;
const QUOTES_IN_SUMMARY: usize = 2;
/// Terms counted.
const TERMS: usize = 8;
/// Limits of a quotation, of a repeated sub task and of the summary, in characters.
const LONGEST_QUOTE: usize = 600;
const LONGEST_SUB_TASK: usize = 200;
const LONGEST_SUMMARY: usize = 700;

pub(super) fn write(brief: &Brief) -> Report {
    let goal = goal(brief);
    let given = given(brief, &goal);
    let wanted = format!("{goal} {}", heard(brief).join(" "));
    let quoted = quotes(&given, &wanted, QUOTES);
    let points = brief.step.as_ref().map(|step| step.bullet_points.clone());
    let mut points = points.unwrap_or_default();
    points.retain(|point| !quoted.contains(point));
    let found: Vec<String> = brief.done.iter().map(finding).collect();
    let terms: Vec<String> = text::frequent(&brief.task, TERMS)
        .into_iter()
        .map(|(term, count)| format!("{term} ({count})"))
        .collect();
    let parts = [
        format!("# {}", text::clip(&goal, LONGEST_SUB_TASK)),
        section("What the user says about this step", heard(brief)),
        section("What the text says", &quoted),
        section("Further points from the plan", &points),
        section("What the steps before found", &found),
        section("Terms it turns on", &terms),
        disclaimer("Extracted"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let summary = quotes(&given, &wanted, QUOTES_IN_SUMMARY).join(" ");
    let nothing = || format!("The text says nothing more than this: {goal}");
    Report {
        content: parts.join("\n\n"),
        summary: text::clip(
            &if summary.is_empty() {
                nothing()
            } else {
                summary
            },
            LONGEST_SUMMARY,
        ),
    }
}

/// What the report may quote: the task and what was said before, without the sentence that it answers.
pub(super) fn given(brief: &Brief, goal: &str) -> Vec<Sentence> {
    let goal = text::words(goal);
    let said = brief.history.iter().map(|turn| turn.text.as_str());
    [brief.task.as_str()]
        .into_iter()
        .chain(said)
        .flat_map(text::sentences)
        .filter(|sentence| !text::alike(&sentence.words, &goal))
        .collect()
}

pub(super) fn quotes(given: &[Sentence], goal: &str, most: usize) -> Vec<String> {
    text::key_sentences(given, &text::words(goal), most)
        .into_iter()
        .map(|sentence| text::clip(&sentence.text, LONGEST_QUOTE))
        .collect()
}

pub(super) fn finding(step: &DoneStep) -> String {
    let sub_task = text::clip(&step.sub_task, LONGEST_SUB_TASK);
    format!(
        "**{sub_task}** {}",
        text::clip(&step.summary, LONGEST_QUOTE)
    )
}

pub(super) fn section(heading: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: Vec<String> = items.iter().map(|item| format!("- {item}")).collect();
    format!("## {heading}\n\n{}", items.join("\n"))
}
