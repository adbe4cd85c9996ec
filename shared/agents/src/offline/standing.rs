//! The ideas that stand, as idea maker and idea hater tell each other of them. Later steps see nothing of an answer but
//! its summary, so a summary is a list that can be read back: a heading, then a line for each idea.

use super::text::{self, Kind, Words};
use crate::Idea;
use workflow::{Brief, DoneStep};

/// The headings of a list of ideas, and of one of their weaknesses.
const IDEAS: &str = "The ideas that stand:";
const WEAKNESSES: &str = "Their weaknesses:";
/// What stands between an idea's title and what is said of it.
const BETWEEN: &str = " — ";
/// Characters of a whole list, and of a title.
const LONGEST_LIST: usize = 1800;
pub(super) const LONGEST_TITLE: usize = 80;

/// The ideas that the last of these steps to have any left standing, in its order.
pub(super) fn ideas(done: &[DoneStep]) -> Vec<Idea> {
    let lists = done.iter().rev().map(|step| read(IDEAS, &step.summary));
    lists
        .into_iter()
        .find(|list| !list.is_empty())
        .unwrap_or_default()
        .into_iter()
        .map(|(title, description)| Idea { title, description })
        .collect()
}

/// What was found against an idea since it was written down.
pub(super) fn weakness(done: &[DoneStep], idea: &Idea) -> Option<String> {
    let since = done
        .iter()
        .rev()
        .take_while(|step| !step.summary.starts_with(IDEAS));
    since
        .flat_map(|step| read(WEAKNESSES, &step.summary))
        .find(|(title, _)| *title == idea.title)
        .map(|(_, weakness)| weakness)
}

/// The summary that [`ideas`] reads back.
pub(super) fn list(ideas: &[Idea]) -> String {
    let lines = ideas
        .iter()
        .map(|idea| (idea.title.as_str(), idea.description.as_str()));
    write(IDEAS, lines.collect())
}

/// The summary that [`weakness`] reads back.
pub(super) fn list_of_weaknesses(weaknesses: Vec<(&str, &str)>) -> String {
    write(WEAKNESSES, weaknesses)
}

/// A title that a list can hold.
pub(super) fn title(text: &str) -> String {
    text::clip(&text.replace(BETWEEN, ", "), LONGEST_TITLE)
}

/// The ideas by how much of the task they take up, the strongest first.
pub(super) fn strongest_first(brief: &Brief, mut ideas: Vec<Idea>) -> Vec<Idea> {
    let task = text::words(&brief.task);
    let strength = |idea: &Idea| text::covered(&task, &words(idea));
    ideas.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    ideas
}

/// The telling words of an idea.
pub(super) fn words(idea: &Idea) -> Words {
    text::words(&format!("{} {}", idea.title, idea.description))
}

fn write(heading: &str, lines: Vec<(&str, &str)>) -> String {
    let room = LONGEST_LIST / lines.len().max(1);
    let lines = lines.iter().enumerate().map(|(i, (title, text))| {
        let room = room.saturating_sub(title.chars().count()).max(1);
        format!("\n{}. {title}{BETWEEN}{}", i + 1, text::clip(text, room))
    });
    format!("{heading}{}", lines.collect::<String>())
}

fn read(heading: &str, summary: &str) -> Vec<(String, String)> {
    let Some(list) = summary.strip_prefix(heading) else {
        return Vec::new();
    };
    text::sentences(list)
        .iter()
        .filter(|line| line.kind == Kind::Item)
        .filter_map(|line| line.text.split_once(BETWEEN))
        .map(|(title, text)| (title.to_owned(), text.to_owned()))
        .collect()
}
