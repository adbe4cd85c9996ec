//! Ideas and their criticism. A new idea looks at a sentence of the task in one of a few ways.
//! Later steps see only the summary of a step, so [`standing`] parses that summary again.

use serde_json::{Value, json};

use super::{
    Input,
    report::{document, findings, quotes},
    text::{self, Kind, Words},
};

/// Ideas made where the step gives no number.
const IDEAS: usize = 5;
/// An idea takes up a sentence of the task when it has this part of its words.
const TAKEN_UP: f64 = 0.5;
/// Sentences of the task that an idea is held against, and sentences quoted for a single idea.
const KEY_SENTENCES: usize = 8;
const QUOTES: usize = 5;
/// Characters of a title, of a quotation and of a list.
const LONGEST_TITLE: usize = 80;
const LONGEST_QUOTE: usize = 150;
const LONGEST_LIST: usize = 1800;

const STANDING: &str = "The ideas that stand:";
const WEAKNESSES: &str = "Their weaknesses:";
const BETWEEN: &str = " — ";
const LEAVES_OUT: &str = "It leaves out this part of the task: ";
const NOTHING: &str = "Nothing that can be counted speaks against it.";
const NUMBERS: [&str; 9] = [
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight",
];

/// Ways to look at a subject: the beginning of the title, and what is to be done.
const WAYS: [(&str, &str); 8] = [
    ("Measure", "put numbers to it"),
    ("Compare", "set two ways to deal with it side by side"),
    ("Simplify", "leave out what is not needed"),
    ("Reverse", "ask what would follow from the opposite"),
    ("Combine", "join it with what the task says elsewhere"),
    ("Predict", "say what will come of it"),
    ("Single out", "follow one case of it from beginning to end"),
    ("Explain", "find the cause behind it"),
];

/// A title and what is said of it.
type Line = (String, String);

/// The ideas that stand, the chosen one first, or new ones.
pub(super) fn make(input: &Input) -> Value {
    let goal = input.goal();
    let mut ideas = standing(input);
    let most = if ideas.is_empty() { IDEAS } else { ideas.len() };
    let wanted = ideas_asked_for(&goal).unwrap_or(most).clamp(1, WAYS.len());
    let remarks = input.step.as_ref().map_or(&[][..], |_| input.remarks);
    if let Some(chosen) = remarks.iter().find_map(|remark| meant(remark, &ideas)) {
        ideas[..=chosen].rotate_right(1);
    } else if let (true, 1, Some(own)) = (ideas.len() > 1, wanted, remarks.first()) {
        let own_words = format!("In the user's words: {}", text::clip(own, LONGEST_QUOTE));
        ideas.insert(0, (title(own), own_words));
    }
    if ideas.len() < wanted {
        let new = new_ideas(input, wanted);
        let is_new = |(title, _): &Line| ideas.iter().all(|(known, _)| known != title);
        let new: Vec<Line> = new.into_iter().filter(is_new).collect();
        ideas.extend(new);
    }
    ideas.truncate(wanted);
    let content = match &ideas[..] {
        [(title, description)] => {
            let subject = format!("{title} {description}");
            let sections = [
                ("What the text says", quotes(input, &subject, QUOTES)),
                ("What the steps before found", findings(input)),
            ];
            document(input, &format!("{title}\n\n{description}"), sections)
        }
        ideas => {
            let lines = ideas.iter().map(line);
            document(input, &text::clip(&goal, 200), [("Ideas", lines.collect())])
        }
    };
    let as_json = ideas
        .iter()
        .map(|(title, text)| json!({"title": title, "description": text}));
    json!({
        "ideas": as_json.collect::<Vec<_>>(),
        "content": content,
        "summary": list(STANDING, &ideas),
    })
}

/// What each idea leaves out of the task.
pub(super) fn criticise(input: &Input) -> Value {
    let mut ideas = standing(input);
    if ideas.is_empty() {
        ideas.push(("The task as it stands".to_owned(), input.task.to_owned()));
    }
    let task = text::sentences(input.task);
    let key = text::key_sentences(&task, &Words::new(), KEY_SENTENCES);
    let weak = ideas.into_iter().map(|(title, description)| {
        let own = text::words(&format!("{title} {description}"));
        let left_out = key
            .iter()
            .find(|s| text::covered(&s.words, &own) < TAKEN_UP);
        let weakness = left_out.map_or_else(
            || NOTHING.to_owned(),
            |s| format!("{LEAVES_OUT}“{}”.", text::clip(&s.text, LONGEST_QUOTE)),
        );
        (title, weakness)
    });
    let weak: Vec<Line> = weak.collect();
    let lines = weak.iter().map(line);
    let sections = [("Weaknesses", lines.collect())];
    json!({
        "content": document(input, "What is weak in the ideas", sections),
        "summary": list(WEAKNESSES, &weak),
    })
}

/// The number in the last sentence of the step that has one; a single idea counts as one.
fn ideas_asked_for(step: &str) -> Option<usize> {
    let in_sentence = |sentence: &text::Sentence| {
        let sentence = sentence.text.to_lowercase();
        let mut words = sentence.split(|c: char| !c.is_alphanumeric());
        let number = words.clone().find_map(|word| {
            let spelled = NUMBERS.iter().position(|name| *name == word);
            spelled
                .or_else(|| word.parse().ok())
                .filter(|number| (1..=8).contains(number))
        });
        number.or_else(|| words.any(|word| word == "idea").then_some(1))
    };
    text::sentences(step).iter().rev().find_map(in_sentence)
}

/// The idea that a remark means, by its number (`option_3`, `idea 3`) or by its title.
fn meant(remark: &str, ideas: &[Line]) -> Option<usize> {
    let remark = remark.to_lowercase();
    let named = |number: usize| ["option_", "option ", "idea "].map(|w| format!("{w}{number}"));
    let by_number = |at: &usize| named(at + 1).iter().any(|name| remark.contains(name));
    let by_title = |at: &usize| remark.contains(&ideas[*at].0.to_lowercase());
    let mut all = 0..ideas.len();
    all.clone().find(by_number).or_else(|| all.find(by_title))
}

/// New ideas on the sentences that have most to do with what the user says, or that weigh most.
fn new_ideas(input: &Input, most: usize) -> Vec<Line> {
    let mut subjects = quotes(input, "", most);
    if subjects.is_empty() {
        subjects.push("the task as it stands".to_owned());
    }
    let on_subjects = WAYS.iter().zip(subjects.iter().cycle()).take(most);
    let idea = |((way, method), subject): (&(&str, &str), &String)| {
        let quote = text::clip(subject, LONGEST_QUOTE);
        let topic = text::clip(subject, LONGEST_TITLE / 2);
        let description = format!("Start from “{quote}” and {method}.");
        (title(&format!("{way}: {topic}")), description)
    };
    on_subjects.map(idea).collect()
}

fn line((title, text): &Line) -> String {
    format!("**{title}** {text}")
}

/// A title that a list can hold.
fn title(text: &str) -> String {
    text::clip(&text.replace(BETWEEN, ", "), LONGEST_TITLE)
}

/// The ideas of the last step that left any.
fn standing(input: &Input) -> Vec<Line> {
    let summaries = input.done.iter().rev();
    let mut lists = summaries.filter_map(|(_, summary)| summary.strip_prefix(STANDING));
    let lines = text::sentences(lists.next().unwrap_or_default());
    let items = lines.iter().filter(|line| line.kind == Kind::Item);
    let split = items.filter_map(|line| line.text.split_once(BETWEEN));
    split
        .map(|(title, text)| (title.to_owned(), text.to_owned()))
        .collect()
}

fn list(heading: &str, lines: &[Line]) -> String {
    let room = LONGEST_LIST / lines.len().max(1);
    let lines = lines.iter().enumerate().map(|(i, (title, text))| {
        let room = room.saturating_sub(title.chars().count()).max(1);
        format!("\n{}. {title}{BETWEEN}{}", i + 1, text::clip(text, room))
    });
    format!("{heading}{}", lines.collect::<String>())
}
