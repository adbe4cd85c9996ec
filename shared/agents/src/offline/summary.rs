//! The summarizer's summary: sentences of the paper, word for word and in quotation marks, sorted by the words that findings,
//! methods and data are told with, and its most frequent terms. What is in no sentence of the paper is not in the summary.

use super::text::{self, Kind, Sentence};
use crate::{Paper, PaperSummary};
use workflow::Brief;

/// Sentences quoted under a heading, and characters of each.
const QUOTES: usize = 5;
const LONGEST_QUOTE: usize = 600;
/// Terms named.
const TERMS: usize = 8;
/// Words of a sentence that is one: fewer are a caption or a running head, more a table that was read as prose.
const FEWEST_WORDS: usize = 6;
const MOST_WORDS: usize = 80;
/// Words of a heading.
const LONGEST_HEADING: usize = 8;
/// The part of a sentence's characters that are letters; formulas and rows of tables have fewer.
const LETTERS: f64 = 0.6;

/// How findings are told. Beginnings of words, and of phrases.
const FINDINGS: &[&str] = &[
    "we find",
    "we found",
    "we show",
    "we observe",
    "we demonstrate",
    "we conclude",
    "we report",
    "we establish",
    "we prove",
    "result",
    "reveal",
    "outperform",
    "achiev",
    "significant",
    "confirm",
    "in conclusion",
    "indicates that",
    "suggests that",
    "higher than",
    "lower than",
    "better than",
    "increases",
    "decreases",
];
/// How methods are told.
const METHODS: &[&str] = &[
    "we propose",
    "we present",
    "we introduce",
    "we use",
    "we apply",
    "we develop",
    "we train",
    "we model",
    "we measure",
    "we estimate",
    "we simulate",
    "method",
    "algorithm",
    "approach",
    "procedure",
    "technique",
    "framework",
    "is based on",
    "regression",
    "was measured",
    "were measured",
    "by means of",
];
/// How data are told.
const DATA: &[&str] = &[
    "data set",
    "dataset",
    "data from",
    "data were",
    "data are",
    "our data",
    "the data",
    "sample",
    "observations",
    "survey",
    "corpus",
    "participants",
    "patients",
    "benchmark",
    "measurements",
    "collected",
    "recorded",
    "catalogue",
    "catalog",
    "archive",
];

/// How lists of other papers are headed.
const REFERENCES: [&str; 4] = [
    "references",
    "bibliography",
    "literature cited",
    "works cited",
];

const NOTHING: &str = "The text that was given holds no sentence to quote.";

pub(super) fn write(brief: &Brief, paper: Option<&Paper>) -> PaperSummary {
    let paper = paper.cloned().unwrap_or_default();
    let sentences = sentences(&paper);
    let wanted = format!("{} {}", paper.title, brief.task);
    let [mut key_findings, methods, data] = sorted(&sentences).map(|told| quotes(&told, &wanted));
    if key_findings.is_empty() {
        key_findings = quotes(&sentences, &wanted);
    }
    if key_findings.is_empty() {
        key_findings.push(NOTHING.to_owned());
    }
    PaperSummary {
        keywords: keywords(&paper),
        key_findings,
        methods,
        data,
        title: paper.title,
        authors: paper.authors,
        date: paper.published,
        abstract_text: paper.abstract_text,
    }
}

/// The sentences of the abstract and of the text, without headings, captions, formulas and what follows the references.
fn sentences(paper: &Paper) -> Vec<Sentence> {
    let text = before_references(&paper.text).lines().map(marked);
    let text = text.collect::<Vec<_>>().join("\n");
    let texts = [paper.abstract_text.as_str(), &text];
    let sentences = texts.into_iter().flat_map(text::sentences);
    sentences
        .filter(|sentence| sentence.kind != Kind::Heading && is_prose(&sentence.text))
        .collect()
}

/// A numbered heading, as a text layer gives it (`4 Results`, `2.1 Gauges`), in Markdown, so that it begins no sentence.
fn marked(line: &str) -> String {
    let (number, heading) = line.trim().split_once(' ').unwrap_or_default();
    let numbered = number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let short = heading.split_whitespace().count() <= LONGEST_HEADING;
    let titled = heading.starts_with(char::is_uppercase) && !heading.ends_with(['.', ',', ';']);
    if numbered && short && titled {
        format!("# {heading}")
    } else {
        line.to_owned()
    }
}

fn is_prose(sentence: &str) -> bool {
    let words = sentence.split_whitespace().count();
    let letters = sentence.chars().filter(|c| c.is_alphabetic()).count();
    let characters = sentence.chars().count();
    (FEWEST_WORDS..=MOST_WORDS).contains(&words) && letters as f64 >= LETTERS * characters as f64
}

/// A paper lists its references in its second half, under a line of their own.
fn before_references(text: &str) -> &str {
    let half = text.floor_char_boundary(text.len() / 2);
    let mut at = half;
    for line in text[half..].split_inclusive('\n') {
        let heading = line.trim_matches(|c: char| !c.is_alphabetic());
        if REFERENCES.contains(&heading.to_lowercase().as_str()) {
            return &text[..at];
        }
        at += line.len();
    }
    text
}

/// The sentences that tell findings, methods and data; each is where most of its words point to.
fn sorted(sentences: &[Sentence]) -> [Vec<Sentence>; 3] {
    let mut told = [const { Vec::new() }; 3];
    for sentence in sentences {
        let text = format!(" {}", sentence.text.to_lowercase());
        let points = [FINDINGS, METHODS, DATA].map(|cues| pointing(&text, cues));
        let most = points.into_iter().max().unwrap_or_default();
        let first = points.iter().position(|&count| count == most && most > 0);
        if let Some(first) = first {
            told[first].push(sentence.clone());
        }
    }
    told
}

fn pointing(text: &str, cues: &[&str]) -> usize {
    let begins_a_word = |cue: &str| {
        text.match_indices(cue)
            .any(|(at, _)| !text[..at].ends_with(char::is_alphanumeric))
    };
    cues.iter().filter(|cue| begins_a_word(cue)).count()
}

fn quotes(sentences: &[Sentence], wanted: &str) -> Vec<String> {
    let key = text::key_sentences(sentences, &text::words(wanted), QUOTES);
    key.into_iter()
        .map(|sentence| format!("“{}”", text::clip(&sentence.text, LONGEST_QUOTE)))
        .collect()
}

fn keywords(paper: &Paper) -> Vec<String> {
    let all = [
        paper.title.as_str(),
        paper.abstract_text.as_str(),
        before_references(&paper.text),
    ];
    let terms = text::frequent(&all.join("\n"), TERMS);
    terms
        .into_iter()
        .map(|(term, _)| text::clip(&term, 100))
        .collect()
}
