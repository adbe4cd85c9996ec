//! Paper summaries: sentences of the paper, word for word, sorted by the phrases that findings,
//! methods and data are told with, and its most frequent terms.

use serde_json::{Value, json};

use super::text::{self, Kind, Sentence};

/// Sentences quoted under a heading, characters of each, and terms named.
const QUOTES: usize = 5;
const LONGEST_QUOTE: usize = 600;
const TERMS: usize = 8;
/// Words of a sentence; fewer are a caption, more a table that was read as prose.
const WORDS: std::ops::RangeInclusive<usize> = 6..=80;

/// Phrases that tell findings, methods and data, in this order.
const CUES: [&str; 3] = [
    "we find|we found|we show|we observe|we conclude|result|reveal|significant|confirm|higher than|\
     lower than|better than|increases|decreases",
    "we propose|we present|we introduce|we use|we apply|we develop|we train|we measure|method|\
     algorithm|approach|procedure|is based on|measured by",
    "data set|dataset|data from|our data|the data|sample|observations|survey|corpus|participants|\
     patients|benchmark|measurements|collected|archive",
];

const NOTHING: &str = "The text that was given holds no sentence to quote.";

/// What the paper says; what is known of it already (title, authors, …) is not in here.
pub(super) fn write(task: &str, title: &str, abstract_text: &str, text: &str) -> Value {
    let text = before_references(text);
    let marked: Vec<String> = text.lines().map(marked).collect();
    let mut sentences = text::sentences(abstract_text);
    sentences.extend(text::sentences(&marked.join("\n")));
    sentences.retain(is_prose);
    let wanted = text::words(&format!("{title} {task}"));
    let quotes = |sentences: &[Sentence]| -> Vec<String> {
        let key = text::key_sentences(sentences, &wanted, QUOTES).into_iter();
        key.map(|s| format!("“{}”", text::clip(&s.text, LONGEST_QUOTE)))
            .collect()
    };
    let mut told = [const { Vec::new() }; 3];
    for sentence in &sentences {
        let text = sentence.text.to_lowercase();
        let points = CUES.map(|cues| cues.split('|').filter(|cue| text.contains(cue)).count());
        let most = points.into_iter().max().unwrap_or_default();
        if let Some(first) = points.iter().position(|&count| count == most && most > 0) {
            told[first].push(sentence.clone());
        }
    }
    let [findings, methods, data] = told.map(|sentences| quotes(&sentences));
    let findings = [findings, quotes(&sentences), vec![NOTHING.to_owned()]];
    let findings = findings.into_iter().find(|findings| !findings.is_empty());
    let terms = text::frequent(&format!("{title}\n{abstract_text}\n{text}"), TERMS);
    let keywords: Vec<String> = terms.iter().map(|term| text::clip(term, 100)).collect();
    json!({"keywords": keywords, "key_findings": findings, "methods": methods, "data": data})
}

/// A numbered heading (`4 Results`) in Markdown, so that it is not read as part of a sentence.
fn marked(line: &str) -> String {
    let numbered = line.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let short = line.split_whitespace().count() < 8 && !line.trim_end().ends_with(['.', ',', ';']);
    if numbered && short {
        format!("# {line}")
    } else {
        line.to_owned()
    }
}

/// Whether a sentence is no heading, caption, formula or row of a table.
fn is_prose(sentence: &Sentence) -> bool {
    let letters = sentence.text.chars().filter(|c| c.is_alphabetic()).count();
    let words = sentence.text.split_whitespace().count();
    let mostly_letters = letters * 5 >= sentence.text.chars().count() * 3;
    sentence.kind != Kind::Heading && WORDS.contains(&words) && mostly_letters
}

/// The text up to the list of references in its second half.
fn before_references(text: &str) -> &str {
    let half = text.floor_char_boundary(text.len() / 2);
    let headings = ["\nReferences\n", "\nREFERENCES\n", "\nBibliography\n"];
    let end = headings
        .iter()
        .filter_map(|heading| text[half..].find(heading))
        .min();
    end.map_or(text, |end| &text[..half + end])
}
