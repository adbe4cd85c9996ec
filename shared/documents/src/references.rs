//! Finds references to arXiv papers in a text.
//!
//! A reference is either marked (a link, a DOI, the prefix `arXiv:`) or a bare id. A marked one is
//! always accepted. A bare id must stand alone, because prices, versions, telephone numbers and
//! other DOIs have the same form: no letter, digit or joining sign may touch it, and no adjacent
//! word may mark it as another number.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::ArxivId;

/// `link` also covers other sites that show papers under their arXiv ids. `name` also covers
/// arXiv's own DOIs (`10.48550/arXiv.2101.00001`).
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?xi)
        (?:
            (?<link>
                (?: (?: arxiv | ar5iv | alphaxiv ) \. org | xxx \. lanl \. gov )
                (?: : [0-9]+ )? (?: / | %2f )
                (?: [a-z0-9_.~-]* (?: / | %2f ) )*?
            )
            | (?<name> arxiv (?: [\s:._/-] | %3a | %2f )* )
        )?
        (?<id>
            (?: [0-9]{4} \. [0-9]{4,5} | [a-z-]+ (?: \. [a-z-]+ )? / [0-9]{7} )
            (?: v [0-9]+ )?
        )";
    Regex::new(pattern).expect("the pattern is constant, and tested")
});

/// Signs that join a number to the text before it.
const JOINED: &str = "._-+/\\$€£¥₹";

/// Words before a number that is not a paper.
const OTHER_NUMBERS: [&str; 16] = [
    "build",
    "chf",
    "eur",
    "fax",
    "firmware",
    "gbp",
    "isbn",
    "phone",
    "release",
    "tel",
    "telephone",
    "usd",
    "v",
    "ver",
    "version",
    "windows",
];

/// Words after an amount.
const UNITS: [&str; 8] = [
    "chf", "dollar", "dollars", "eur", "euro", "euros", "gbp", "usd",
];

/// Every paper that `text` refers to, once, in the order of first references.
pub fn find(text: &str) -> Vec<ArxivId> {
    let mut seen = HashSet::new();
    REFERENCE
        .captures_iter(text)
        .filter_map(|found| {
            let (whole, id) = (found.get(0)?, found.name("id")?);
            let (before, after) = (&text[..whole.start()], &text[id.end()..]);
            let refers = if found.name("link").is_some() {
                !continues(after) && !joined_to_a_name(before)
            } else if found.name("name").is_some() {
                !continues(after)
            } else {
                stands_alone(before, after) && !counts_something_else(before, after)
            };
            refers.then(|| id.as_str().parse().ok()).flatten()
        })
        .filter(|id: &ArxivId| seen.insert(id.clone()))
        .collect()
}

/// Whether the number continues after the id: `2101.000012`, `2101.00001.5`.
fn continues(after: &str) -> bool {
    let mut next = after.chars();
    match next.next() {
        Some('.') => next.next().is_some_and(|sign| sign.is_ascii_digit()),
        Some(sign) => sign.is_alphanumeric(),
        None => false,
    }
}

/// Whether a host is only the suffix of another one: `notarxiv.org`. A link within a link is
/// encoded (`%2F%2Farxiv.org`).
fn joined_to_a_name(before: &str) -> bool {
    let encoded = before.ends_with("%2F") || before.ends_with("%2f");
    let joins = |sign: char| sign.is_alphanumeric() || "-_".contains(sign);
    !encoded && before.ends_with(joins)
}

fn stands_alone(before: &str, after: &str) -> bool {
    let joins = |sign: char| sign.is_alphanumeric() || JOINED.contains(sign);
    let mut next = after.chars();
    let goes_on = match next.next() {
        Some('.' | ':' | '-' | '/') => next.next().is_some_and(|sign| sign.is_ascii_digit()),
        Some(sign) => sign.is_alphanumeric() || "_%°€$£".contains(sign),
        None => false,
    };
    !before.ends_with(joins) && !goes_on
}

/// `build 1909.18363`, `$ 1205.4321`, `1205.4321 EUR`.
fn counts_something_else(before: &str, after: &str) -> bool {
    let before = before.trim_end_matches(|sign: char| sign.is_whitespace() || ":.".contains(sign));
    let after = after.trim_start();
    let letters = |sign: char| !sign.is_alphabetic();
    let word_before = before.rsplit(letters).next().unwrap_or_default();
    let word_after = after.split(letters).next().unwrap_or_default();
    let is_in = |words: &[&str], word: &str| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    before.ends_with(['$', '€', '£', '¥', '₹'])
        || after.starts_with(['$', '€', '£', '¥', '₹', '%'])
        || is_in(&OTHER_NUMBERS, word_before)
        || is_in(&UNITS, word_after)
}
