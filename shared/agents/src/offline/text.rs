//! Sentences and words. A sentence weighs as much as its words are frequent in the whole text
//! (H. P. Luhn, 1958), and more when it shares words with what is looked for.

use std::collections::{BTreeMap, BTreeSet};

/// Words that stand in every text.
const STOP_WORDS: &str = " about above after again all also and any are been before being below \
    between both but can could did does each every for from had has have her here his how into its \
    just may might more most must nor not now off once only other our out over same shall she \
    should some such than that the their them then there these they this those through too under \
    until upon use used using very was were what when where which while who whom whose why will \
    with within without would you your ";

/// A full stop after one of these ends no sentence.
const ABBREVIATIONS: &str =
    " al approx cf dr e.g etc fig i.e mr mrs ms no nos p pp prof st vol vs ";

/// Verbs that begin a request.
const IMPERATIVES: &str = " add analyse analyze answer build calculate check choose collect \
    compare compute create define derive describe design determine discuss draft estimate evaluate \
    explain explore find give identify implement investigate list make measure name outline plan \
    predict prepare propose prove recommend review show simulate solve study suggest summarise \
    summarize test translate write ";

/// The words of a text that say what it is about, singular and in lower case.
pub(super) type Words = BTreeSet<String>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Heading,
    Item,
    Prose,
}

/// A sentence, a heading or an item of a list.
#[derive(Clone)]
pub(super) struct Sentence {
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) words: Words,
}

impl Sentence {
    /// Whether the sentence begins with a verb that asks for something, or says what should be.
    pub(super) fn is_request(&self) -> bool {
        let text = self.text.to_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        let first = words.next().unwrap_or_default();
        IMPERATIVES.contains(&format!(" {first} ")) || words.any(|word| word == "should")
    }
}

/// Splits a text, which may be Markdown with lines broken anywhere. Sentences without telling
/// words are left out.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut blocks: Vec<(Kind, String)> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim) {
        let (kind, content) = classify(line);
        match blocks.last_mut() {
            Some((_, block)) if open && kind == Kind::Prose => *block += &format!(" {content}"),
            _ => blocks.push((kind, content.to_owned())),
        }
        open = !line.is_empty() && kind != Kind::Heading;
    }
    let mut sentences = Vec::new();
    for (kind, block) in &blocks {
        let parts = if *kind == Kind::Prose {
            split(block)
        } else {
            vec![block.as_str()]
        };
        sentences.extend(parts.into_iter().map(|text| Sentence {
            text: text.to_owned(),
            kind: *kind,
            words: words(text),
        }));
    }
    sentences.retain(|sentence| !sentence.words.is_empty());
    sentences
}

fn classify(line: &str) -> (Kind, &str) {
    if line.starts_with('#') {
        return (Kind::Heading, line.trim_start_matches('#').trim());
    }
    let unnumbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let marks: &[&str] = if unnumbered.len() < line.len() {
        &[". ", ") "]
    } else {
        &["- ", "* ", "+ ", "• "]
    };
    let item = marks.iter().find_map(|mark| unnumbered.strip_prefix(mark));
    item.map_or((Kind::Prose, line), |item| (Kind::Item, item.trim()))
}

fn split(paragraph: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, c) in paragraph.char_indices() {
        let end = at + c.len_utf8();
        let ends = match c {
            '。' | '！' | '？' => true,
            '.' | '!' | '?' => ends_sentence(&paragraph[start..at], &paragraph[end..]),
            _ => false,
        };
        if ends {
            parts.push(paragraph[start..end].trim());
            start = end;
        }
    }
    parts.push(paragraph[start..].trim());
    parts
}

fn ends_sentence(before: &str, after: &str) -> bool {
    let last = before
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default();
    let last = last.trim_start_matches(['(', '"', '“']).to_lowercase();
    let abbreviated = last.chars().count() < 2 || ABBREVIATIONS.contains(&format!(" {last} "));
    let next = after.trim_start().chars().next();
    after.starts_with(char::is_whitespace) && !abbreviated && next.is_none_or(|c| !c.is_lowercase())
}

pub(super) fn words(text: &str) -> Words {
    terms(text).collect()
}

fn terms(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() > 2 && !STOP_WORDS.contains(&format!(" {word} ")))
        .map(|word| match word.strip_suffix('s') {
            Some(stem) if stem.len() > 3 && !stem.ends_with(['s', 'i']) => stem.to_owned(),
            _ => word,
        })
}

/// The most frequent words of a text, at most `most`; ties in alphabetical order.
pub(super) fn frequent(text: &str, most: usize) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for term in terms(text) {
        *counts.entry(term).or_default() += 1;
    }
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ranked
        .into_iter()
        .take(most)
        .map(|(term, _)| term)
        .collect()
}

/// The `most` weightiest sentences, in the order of the text and without repetitions. When any
/// sentence shares a word with `wanted`, only those that do are chosen.
pub(super) fn key_sentences<'a>(
    sentences: &'a [Sentence],
    wanted: &Words,
    most: usize,
) -> Vec<&'a Sentence> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in sentences.iter().flat_map(|sentence| &sentence.words) {
        *counts.entry(word).or_default() += 1;
    }
    let weight = |sentence: &Sentence| {
        let frequency: usize = sentence
            .words
            .iter()
            .map(|word| counts[word.as_str()])
            .sum();
        let shared = sentence.words.intersection(wanted).count();
        frequency as f64 / (sentence.words.len() as f64).sqrt() * (1 + shared * shared) as f64
    };
    let any_shares = sentences.iter().any(|s| !s.words.is_disjoint(wanted));
    let mut ranked: Vec<(f64, usize, &Sentence)> = sentences
        .iter()
        .enumerate()
        .filter(|(_, s)| s.kind != Kind::Heading && !(any_shares && s.words.is_disjoint(wanted)))
        .map(|(index, sentence)| (weight(sentence), index, sentence))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut said = BTreeSet::new();
    ranked.retain(|(_, _, sentence)| said.insert(&sentence.words));
    ranked.truncate(most);
    ranked.sort_by_key(|(_, index, _)| *index);
    ranked
        .into_iter()
        .map(|(_, _, sentence)| sentence)
        .collect()
}

/// The part of `words` that `other` has too, from 0 to 1.
pub(super) fn covered(words: &Words, other: &Words) -> f64 {
    words.intersection(other).count() as f64 / words.len().max(1) as f64
}

/// At most `longest` characters of a text on one line, with an ellipsis where text is missing.
pub(super) fn clip(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(longest) {
        None => line,
        Some(_) => line.chars().take(longest - 1).chain(['…']).collect(),
    }
}

/// Each sentence clipped.
pub(super) fn clipped(sentences: &[&Sentence], longest: usize) -> Vec<String> {
    let texts = sentences.iter().map(|sentence| &sentence.text);
    texts.map(|text| clip(text, longest)).collect()
}
