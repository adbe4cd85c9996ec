//! Ideas and their criticism. A new idea names a sentence of the task and a way to work on it.
//! Later steps see only the summary of a step, so [`standing`] parses that summary again.

use serde_json::{Value, json};
use workflow::Brief;

use super::{
    report::{document, findings, goal, quotes},
    text,
};
use crate::Idea;

/// Ideas made where the step gives no number.
const IDEAS: usize = 5;
/// Characters of a title, of a description and of a quotation in it. Eight ideas fit the 2,000
/// characters of a summary.
const LONGEST_TITLE: usize = 80;
const LONGEST_DESCRIPTION: usize = 150;
const LONGEST_QUOTE: usize = 100;

const STANDING: &str = "The ideas that stand:";
const BETWEEN: &str = " — ";
const NUMBERS: [&str; 8] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight",
];

/// Ways to work on a subject. Their number is the most ideas that an answer may have.
const WAYS: [&str; 8] = [
    "Measure", "Compare", "Simplify", "Reverse", "Combine", "Predict", "Follow", "Explain",
];

/// The ideas that stand, the chosen one first, or new ones.
pub(super) fn make(brief: &Brief) -> Value {
    let goal = goal(brief);
    let remarks = brief.remarks.join(" ");
    let wanted = ideas_asked_for(&goal);
    let mut ideas = standing(brief);
    if ideas.is_empty() {
        let subjects = quotes(brief, "", WAYS.len());
        let on_subjects = WAYS.iter().zip(subjects.iter().cycle());
        ideas = on_subjects.map(|(way, on)| new_idea(way, on)).collect();
    } else if let Some(chosen) = ideas.iter().position(|idea| remarks.contains(&idea.title)) {
        ideas.swap(0, chosen);
    } else if wanted == 1 && ideas.len() > 1 && !remarks.is_empty() {
        // The user is asked to choose, and names an idea of their own.
        ideas.insert(0, idea(&remarks, &remarks));
    }
    ideas.truncate(wanted);
    let chosen = ideas.first().filter(|_| wanted == 1);
    let heading = chosen.map_or(&goal, |idea| &idea.title);
    let sections = [("Ideas", lines(&ideas)), findings(brief)];
    json!({
        "content": document(brief, heading, &sections),
        "summary": format!("{STANDING}\n- {}", lines(&ideas).join("\n- ")),
        "ideas": ideas,
    })
}

/// The first sentence of the task that each idea leaves out.
pub(super) fn criticise(brief: &Brief) -> Value {
    let task = text::sentences(&brief.task);
    let mut ideas = standing(brief);
    if ideas.is_empty() {
        ideas.push(idea("The task as it stands", "It is no idea yet."));
    }
    for Idea { description, .. } in &mut ideas {
        let mut quotes = task.iter().map(|s| text::clip(&s.text, LONGEST_QUOTE));
        *description = match quotes.find(|quote| !description.contains(quote)) {
            Some(quote) => format!("It leaves out this part of the task: “{quote}”."),
            None => "It leaves out nothing of the task.".to_owned(),
        };
    }
    let summary = format!("Their weaknesses:\n- {}", lines(&ideas).join("\n- "));
    let sections = [("Weaknesses", lines(&ideas))];
    json!({"content": document(brief, "The ideas' weaknesses", &sections), "summary": summary})
}

/// The last number of the step; `idea` counts as one.
fn ideas_asked_for(step: &str) -> usize {
    let step = step.to_lowercase();
    let mut words = step.rsplit(|c: char| !c.is_alphanumeric());
    let number = words.find_map(|word| match word {
        "idea" => Some(1),
        _ => Some(1 + NUMBERS.iter().position(|number| *number == word)?),
    });
    number.unwrap_or(IDEAS)
}

fn new_idea(way: &str, subject: &str) -> Idea {
    let quote = text::clip(subject, LONGEST_QUOTE);
    idea(
        &format!("{way}: {quote}"),
        &format!("Start from “{quote}”."),
    )
}

/// An idea that a list can hold.
fn idea(title: &str, description: &str) -> Idea {
    Idea {
        title: text::clip(&title.replace(BETWEEN, ", "), LONGEST_TITLE),
        description: text::clip(description, LONGEST_DESCRIPTION),
    }
}

/// The ideas of the last step that left any.
fn standing(brief: &Brief) -> Vec<Idea> {
    let mut newest_first = brief.done.iter().rev();
    let list = newest_first.find_map(|done| done.summary.strip_prefix(STANDING));
    let entries = list.unwrap_or_default().split("\n- ");
    let ideas = entries.filter_map(|entry| entry.trim().split_once(BETWEEN));
    let ideas = ideas.map(|(title, description)| idea(title, description));
    ideas.take(WAYS.len()).collect()
}

fn lines(ideas: &[Idea]) -> Vec<String> {
    let line = |idea: &Idea| format!("{}{BETWEEN}{}", idea.title, idea.description);
    ideas.iter().map(line).collect()
}
