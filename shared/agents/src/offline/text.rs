//! Sentences, words and their ranking: a sentence weighs as much as its words are frequent in the whole text
//! (H. P. Luhn, 1958), more if it shares words with what is looked for, and nothing if it repeats one already chosen.

use std::collections::{BTreeMap, BTreeSet};

/// Two sentences that share more than this part of their words say the same.
const SAME: f64 = 0.6;

/// Words that stand in every text.
const STOP_WORDS: &str = " about above after again all also and any are been before being below between both but can \
could did does each every few for from had has have her here him his how into its itself just may might more most must \
nor not now off once one only other our out over own same shall she should some such than that the their them then \
there these they this those through too two under until upon use used using very was were what when where which while \
who whom whose why will with within without would you your ";

/// A full stop after one of these ends no sentence.
const ABBREVIATIONS: &str =
    " al approx cf dr e.g etc fig i.e mr mrs ms no nos p pp prof st vol vs ";

/// Verbs that begin a request.
const IMPERATIVES: &str = " add analyse analyze answer assess build calculate check choose collect compare compute \
create define derive describe design determine discuss draft estimate evaluate explain explore extract find give \
identify illustrate implement investigate list make measure name outline plan predict prepare propose prove read \
recommend review show simulate solve study suggest summarise summarize test translate verify write ";

/// The words of a text that say what it is about, singular and in lower case.
pub(super) type Words = BTreeSet<String>;

/// What a sentence is in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Heading,
    Item,
    Prose,
}

/// A sentence, a heading or an item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) words: Words,
}

impl Sentence {
    fn new(text: &str, kind: Kind) -> Self {
        Self {
            text: text.to_owned(),
            kind,
            words: words(text),
        }
    }

    /// Whether the sentence asks for something: it begins with a verb that does, or says what should be.
    pub(super) fn is_request(&self) -> bool {
        let mut words = self
            .text
            .split(|c: char| !c.is_alphanumeric())
            .map(str::to_lowercase);
        let begins = words
            .next()
            .is_some_and(|first| IMPERATIVES.contains(&format!(" {first} ")));
        begins || words.any(|word| word == "should")
    }
}

/// Splits a text, which may be Markdown with lines broken anywhere.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut blocks: Vec<(Kind, String)> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim) {
        let (kind, content) = classify(line);
        match blocks.last_mut() {
            Some((_, block)) if open && kind == Kind::Prose && !line.is_empty() => {
                block.push(' ');
                block.push_str(content);
            }
            _ if content.is_empty() => {}
            _ => blocks.push((kind, content.to_owned())),
        }
        open = !line.is_empty() && kind != Kind::Heading;
    }
    blocks
        .iter()
        .flat_map(|(kind, block)| match kind {
            Kind::Prose => split(block)
                .into_iter()
                .map(|s| Sentence::new(s, Kind::Prose))
                .collect(),
            kind => vec![Sentence::new(block, *kind)],
        })
        .filter(|sentence| !sentence.words.is_empty())
        .collect()
}

fn classify(line: &str) -> (Kind, &str) {
    if let Some(heading) = line.strip_prefix('#') {
        return (Kind::Heading, heading.trim_start_matches('#').trim());
    }
    if let Some(item) = ["- ", "* ", "+ ", "• "]
        .iter()
        .find_map(|bullet| line.strip_prefix(bullet))
    {
        return (Kind::Item, item.trim());
    }
    let number = line.bytes().take_while(u8::is_ascii_digit).count();
    let item = line[number..]
        .strip_prefix(". ")
        .or_else(|| line[number..].strip_prefix(") "));
    match item {
        Some(item) if (1..=3).contains(&number) => (Kind::Item, item.trim()),
        _ => (Kind::Prose, line),
    }
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
    parts.retain(|part| !part.is_empty());
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

/// The words of a text without those that stand in every text.
pub(super) fn words(text: &str) -> Words {
    terms(text).collect()
}

fn terms(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() > 2 && !STOP_WORDS.contains(&format!(" {word} ")))
        .map(singular)
}

fn singular(word: String) -> String {
    let is_plural =
        word.len() > 4 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("is");
    if !is_plural {
        return word;
    }
    match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => word[..word.len() - 1].to_owned(),
    }
}

/// The most frequent words of a text with their counts, at most `most`; ties in alphabetical order.
pub(super) fn frequent(text: &str, most: usize) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for term in terms(text) {
        *counts.entry(term).or_default() += 1;
    }
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    ranked.truncate(most);
    ranked
}

/// The `most` weightiest sentences, in the order of the text. If `wanted` has words and any sentence shares one,
/// only those that do are chosen.
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
    let any_shares = sentences
        .iter()
        .any(|sentence| !sentence.words.is_disjoint(wanted));
    let mut ranked: Vec<(f64, usize, &Sentence)> = sentences
        .iter()
        .enumerate()
        .filter(|(_, s)| s.kind != Kind::Heading && !(any_shares && s.words.is_disjoint(wanted)))
        .map(|(index, sentence)| (weight(sentence), index, sentence))
        .collect();
    ranked.sort_by(|(v, i, _), (w, j, _)| w.total_cmp(v).then(i.cmp(j)));
    let mut chosen: Vec<(usize, &Sentence)> = Vec::new();
    for (_, index, sentence) in ranked {
        if chosen.len() == most {
            break;
        }
        if chosen
            .iter()
            .all(|(_, other)| likeness(&sentence.words, &other.words) <= SAME)
        {
            chosen.push((index, sentence));
        }
    }
    chosen.sort_by_key(|(index, _)| *index);
    chosen.into_iter().map(|(_, sentence)| sentence).collect()
}

/// Whether two texts say the same, by their words.
pub(super) fn alike(a: &Words, b: &Words) -> bool {
    likeness(a, b) > SAME
}

fn likeness(a: &Words, b: &Words) -> f64 {
    let all = a.union(b).count();
    if all == 0 {
        0.0
    } else {
        a.intersection(b).count() as f64 / all as f64
    }
}

/// The part of `words` that `other` has too, from 0 to 1.
pub(super) fn covered(words: &Words, other: &Words) -> f64 {
    words.intersection(other).count() as f64 / words.len().max(1) as f64
}

/// At most `longest` characters of a text on one line, with an ellipsis where something is missing.
pub(super) fn clip(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(longest) {
        None => line,
        Some(_) => line.chars().take(longest - 1).chain(['…']).collect(),
    }
}
