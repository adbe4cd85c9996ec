//! The idea hater's criticism, by what can be counted: what an idea leaves out of the task, and which other idea says
//! the same. What is criticised are the ideas that stand; where none do, what the steps before came to.

use super::{
    disclaimer, heard,
    ideas::LEAVES_OUT,
    report::section,
    standing::{self, words},
    text::{self, Sentence, Words},
};
use crate::{Idea, Report};
use workflow::Brief;

/// Sentences of the task that an idea is held against.
const KEY_SENTENCES: usize = 8;
/// A sentence is taken up by an idea that has this part of its words.
const TAKEN_UP: f64 = 0.5;
/// Characters of a quoted part of the task.
const LONGEST_QUOTE: usize = 150;

const NOTHING: &str = "Nothing that can be counted speaks against it.";

pub(super) fn write(brief: &Brief) -> Report {
    let ideas = standing::strongest_first(brief, criticised(brief));
    let sentences = text::sentences(&brief.task);
    let wanted = text::words(&heard(brief).join(" "));
    let key = text::key_sentences(&sentences, &wanted, KEY_SENTENCES);
    let weaknesses: Vec<Vec<String>> = (0..ideas.len())
        .map(|index| weaknesses(&ideas, index, &key))
        .collect();
    let worst = ideas.iter().zip(&weaknesses).map(|(idea, weaknesses)| {
        let worst = weaknesses.first().map_or(NOTHING, String::as_str);
        (idea.title.as_str(), worst)
    });
    Report {
        summary: standing::list_of_weaknesses(worst.collect()),
        content: content(brief, &ideas, &weaknesses),
    }
}

fn criticised(brief: &Brief) -> Vec<Idea> {
    let standing = standing::ideas(&brief.done);
    if !standing.is_empty() {
        return standing;
    }
    let done = brief.done.iter().map(|step| Idea {
        title: standing::title(&step.sub_task),
        description: step.summary.clone(),
    });
    let mut results: Vec<Idea> = done.collect();
    if results.is_empty() {
        results.push(Idea {
            title: "The task as it stands".to_owned(),
            description: brief.task.clone(),
        });
    }
    results
}

/// What speaks against one of the ideas, the worst first.
fn weaknesses(ideas: &[Idea], index: usize, key: &[&Sentence]) -> Vec<String> {
    let own: Words = words(&ideas[index]);
    let left_out = key
        .iter()
        .find(|sentence| text::covered(&sentence.words, &own) < TAKEN_UP)
        .map(|sentence| {
            format!(
                "{LEAVES_OUT}“{}”.",
                text::clip(&sentence.text, LONGEST_QUOTE)
            )
        });
    let double = ideas[..index]
        .iter()
        .find(|other| text::alike(&words(other), &own))
        .map(|other| format!("It says much the same as “{}”.", other.title));
    left_out.into_iter().chain(double).collect()
}

fn content(brief: &Brief, ideas: &[Idea], weaknesses: &[Vec<String>]) -> String {
    let nothing = [NOTHING.to_owned()];
    let sections = ideas.iter().zip(weaknesses).map(|(idea, weaknesses)| {
        let lines = if weaknesses.is_empty() {
            &nothing[..]
        } else {
            weaknesses
        };
        section(&idea.title, lines)
    });
    let order = ideas.iter().map(|idea| idea.title.clone());
    let order: Vec<String> = order.collect();
    let mut parts = vec!["# What is weak in the ideas".to_owned()];
    parts.extend(sections);
    parts.push(section("Which take up most of the task, in order", &order));
    parts.push(section("What the user says", heard(brief)));
    parts.push(disclaimer("Counted"));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}
