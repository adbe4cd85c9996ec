//! Finds references to arXiv papers in a text.
//!
//! A reference is either marked (a link, a DOI, the prefix `arXiv:`) or a bare id. A marked one is
//! always accepted. A bare id must stand alone, because prices, versions, telephone numbers and
//! other DOIs have the same form: no letter, digit or joining sign may touch it, and no adjacent
//! word may mark it as another number.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use regex::Regex;

use crate::ArxivId;

/// `link` also covers other sites that show papers under their arXiv ids. `name` also covers
/// arXiv's own DOIs (`10.48550/arXiv.2101.00001`).
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?xi)
        (?:
            (?<link>
                (?:
                    (?: (?: arxiv | ar5iv | alphaxiv ) \. org | xxx \. lanl \. gov
                        | (?: arxiv-vanity | scirate | emergentmind ) \. com
                        | inspirehep \. net | papers \. cool )
                    (?: : [0-9]+ )?
                    | (?: huggingface | hf ) \. co (?: / | %2f ) papers
                ) (?: / | %2f )
                (?: [a-z0-9_.~-]* (?: / | %2f ) )*?
            )
            | (?<name> arxiv (?: [\s:：._/-] | %3a | %2f )* )
        )?
        (?<id>
            (?: [0-9]{4} \. [0-9]{4,5} | [a-z-]+ (?: \. [a-z-]+ )? / [0-9]{7} )
            (?: v [0-9]+ )?
        )";
    Regex::new(pattern).expect("the pattern is constant, and tested")
});

/// The scripts whose letters touch a number that is no part of their word: Thai and Lao; Burmese;
/// Khmer; Chinese, Japanese and Korean with their compatibility forms.
const UNSPACED: [RangeInclusive<char>; 8] = [
    '\u{e00}'..='\u{eff}',
    '\u{1000}'..='\u{11ff}',
    '\u{1780}'..='\u{17ff}',
    '\u{2e80}'..='\u{9fff}',
    '\u{ac00}'..='\u{d7ff}',
    '\u{f900}'..='\u{faff}',
    '\u{ff66}'..='\u{ffdc}',
    '\u{20000}'..='\u{3ffff}',
];

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

/// The same in scripts without spaces between words, where the word ends a longer text.
const OTHER_NUMBERS_UNSPACED: [&str; 7] =
    ["版本", "电话", "電話", "传真", "价格", "バージョン", "버전"];

/// Words after an amount.
const UNITS: [&str; 8] = [
    "chf", "dollar", "dollars", "eur", "euro", "euros", "gbp", "usd",
];

/// Every paper, or version of one, that `text` refers to, once, in the order of first references.
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
        Some(sign) => is_of_a_word(sign),
        None => false,
    }
}

/// Whether a sign beside a number makes both one word. In scripts without spaces between words,
/// and in Korean, whose particles follow a number at once, a letter touches what is no part of its
/// word.
fn is_of_a_word(sign: char) -> bool {
    sign.is_alphanumeric() && !UNSPACED.iter().any(|script| script.contains(&sign))
}

/// Whether a host is only the suffix of another one: `notarxiv.org`. A link within a link is
/// encoded (`%2F%2Farxiv.org`).
fn joined_to_a_name(before: &str) -> bool {
    let encoded = before.ends_with("%2F") || before.ends_with("%2f");
    let joins = |sign: char| is_of_a_word(sign) || "-_".contains(sign);
    !encoded && before.ends_with(joins)
}

fn stands_alone(before: &str, after: &str) -> bool {
    let joins = |sign: char| is_of_a_word(sign) || JOINED.contains(sign);
    let mut next = after.chars();
    let goes_on = match next.next() {
        Some('.' | ':' | '-' | '/') => next.next().is_some_and(|sign| sign.is_ascii_digit()),
        Some(sign) => is_of_a_word(sign) || "_%°€$£".contains(sign),
        None => false,
    };
    !before.ends_with(joins) && !goes_on
}

/// `build 1909.18363`, `$ 1205.4321`, `1205.4321 EUR`.
fn counts_something_else(before: &str, after: &str) -> bool {
    let before =
        before.trim_end_matches(|sign: char| sign.is_whitespace() || ":：.".contains(sign));
    let after = after.trim_start();
    let letters = |sign: char| !sign.is_alphabetic();
    let word_before = before.rsplit(letters).next().unwrap_or_default();
    let word_after = after.split(letters).next().unwrap_or_default();
    let is_in = |words: &[&str], word: &str| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    before.ends_with(['$', '€', '£', '¥', '₹'])
        || after.starts_with(['$', '€', '£', '¥', '₹', '%', '元', '円', '원'])
        || OTHER_NUMBERS_UNSPACED
            .iter()
            .any(|word| before.ends_with(word))
        || is_in(&OTHER_NUMBERS, word_before)
        || is_in(&UNITS, word_after)
}
