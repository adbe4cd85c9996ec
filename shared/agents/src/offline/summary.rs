//! Paper summaries: sentences of the paper, word for word, chosen by the words that findings,
//! methods and data are told with. The words of its title are its keywords.

use serde_json::{Value, json};

use super::text;
use crate::PaperBrief;

/// Sentences quoted under a heading.
const QUOTES: usize = 5;
/// Keywords, and characters of each, by the schema of a summary.
const KEYWORDS: usize = 12;
const LONGEST_KEYWORD: usize = 100;
/// Bytes of a sentence; a shorter one is a heading or a caption.
const SHORTEST_SENTENCE: usize = 25;

/// Words that tell findings, methods and data, in this order.
const CUES: [&str; 3] = [
    "conclude confirm confirms decreases find found higher increases lower observe result results \
     reveal reveals show shows significant",
    "algorithm apply approach based develop introduce measured method methods present procedure \
     propose train",
    "archive benchmark collected corpus data dataset measurements observations participants \
     patients sample samples survey",
];

const NOTHING: &str = "The text that was given holds no sentence to quote.";

/// What the paper says, up to its references.
pub(super) fn summarise(paper: &PaperBrief) -> Value {
    let body = paper.text.rsplit_once("\nReferences\n");
    let body = body.map_or(paper.text.as_str(), |(body, _references)| body);
    let text = format!("{}\n\n{body}", paper.abstract_text);
    let mut sentences = text::sentences(&text);
    sentences.retain(|sentence| sentence.text.len() >= SHORTEST_SENTENCE);
    let [mut findings, methods, data] = CUES.map(|cues| text::sharing(&sentences, cues, QUOTES));
    if findings.is_empty() {
        findings = text::spread(&sentences, QUOTES);
    }
    if findings.is_empty() {
        findings.push(NOTHING.to_owned());
    }
    let keywords = text::words(&paper.title).into_iter().take(KEYWORDS);
    let keywords = keywords.map(|word| text::clip(&word, LONGEST_KEYWORD));
    json!({
        "title": paper.title,
        "authors": paper.authors,
        "date": paper.published,
        "abstract": paper.abstract_text,
        "keywords": keywords.collect::<Vec<_>>(),
        "key_findings": findings,
        "methods": methods,
        "data": data,
    })
}
