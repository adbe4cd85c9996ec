//! Sentences and words, and the choice among sentences.

use std::{cmp::Reverse, collections::BTreeSet};

/// English words that say nothing about the subject of a text.
const STOP_WORDS: &str = " about all also and any are been but can could did does each for from \
    had has have her his how into its may more most nor not now off one only other our out over \
    she should some such than that the their them then there these they this too use used very \
    was were what when where which who why will with would you your ";

/// Characters of a sentence. At three bytes each, fifty steps of this length fit a plan's 64 KiB.
pub(super) const LONGEST: usize = 300;

/// A sentence, or an item of a list, on one line.
pub(super) struct Sentence {
    pub(super) text: String,
    pub(super) is_item: bool,
}

/// Splits a text, which may be Markdown with lines broken anywhere. Repetitions are left out.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut blocks: Vec<(bool, String)> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        let item = item(line);
        match blocks.last_mut() {
            Some((_, block)) if is_open && item.is_none() => *block += &format!(" {line}"),
            _ => blocks.push((item.is_some(), item.unwrap_or(line).to_owned())),
        }
        is_open = !line.is_empty();
    }
    let mut sentences = Vec::new();
    for (is_item, block) in blocks {
        let texts = if is_item { vec![block] } else { split(&block) };
        sentences.extend(texts.iter().map(|text| Sentence {
            text: clip(text, LONGEST),
            is_item,
        }));
    }
    let mut known = BTreeSet::new();
    sentences.retain(|s| !s.text.is_empty() && known.insert(s.text.clone()));
    sentences
}

/// The content of an item of a list, or of a heading, in Markdown.
fn item(line: &str) -> Option<&str> {
    let (mark, content) = line.split_once(' ')?;
    let number = mark.strip_suffix(['.', ')']).unwrap_or_default();
    let marks = ["-", "*", "+", "•", "#", "##", "###"];
    (marks.contains(&mark) || number.parse::<u32>().is_ok()).then_some(content)
}

fn split(paragraph: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for piece in paragraph.split_inclusive(['.', '!', '?', '。', '！', '？']) {
        match parts.last_mut() {
            Some(open) if !ends_sentence(open, piece) => open.push_str(piece),
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// A full stop ends no sentence before a small letter, nor after an initial or a title like `Dr.`.
fn ends_sentence(text: &str, next: &str) -> bool {
    let goes_on = next.trim_start().starts_with(char::is_lowercase);
    if goes_on || !next.starts_with(char::is_whitespace) {
        return text.ends_with(['。', '！', '？']);
    }
    let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    last.len() > 3 || !last.starts_with(char::is_uppercase)
}

/// The words that say what a text is about, in lower case. Their limit is in bytes, so that one
/// character of a script without spaces is enough.
pub(super) fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.len() > 2 && !STOP_WORDS.contains(&format!(" {word} ")))
        .collect()
}

/// The sentences that share words with `wanted`, those that share the most first.
pub(super) fn sharing(sentences: &[Sentence], wanted: &str, most: usize) -> Vec<String> {
    let wanted = words(wanted);
    let shared = |sentence: &&Sentence| words(&sentence.text).intersection(&wanted).count();
    let mut chosen: Vec<_> = sentences.iter().filter(|s| shared(s) > 0).collect();
    chosen.sort_by_cached_key(|sentence| Reverse(shared(sentence)));
    chosen.truncate(most);
    chosen.iter().map(|s| s.text.clone()).collect()
}

/// Sentences at even distances, at most `most`.
pub(super) fn spread(sentences: &[Sentence], most: usize) -> Vec<String> {
    let distance = sentences.len().div_ceil(most).max(1);
    let chosen = sentences.iter().step_by(distance);
    chosen.map(|sentence| sentence.text.clone()).collect()
}

/// At most `longest` characters of a text on one line, with an ellipsis where text is missing.
pub(super) fn clip(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(longest) {
        None => line,
        Some(_) => line.chars().take(longest - 1).chain(['…']).collect(),
    }
}
