//! Shortens a paper's text to what a model can read, section by section, so that its end is kept as
//! well as its beginning.
//!
//! References and acknowledgements are removed first. Then each section keeps an equal share, and
//! long sections share what short ones leave. A section ends after a sentence, or else after a
//! word.

/// Marks where text was left out.
const ELLIPSIS: &str = " […]";

/// The longest line that counts as a heading.
const MAX_HEADING_BYTES: usize = 80;

/// Headings of sections without results, which are removed.
const REMOVED_HEADINGS: [&str; 8] = [
    "acknowledgement",
    "acknowledgment",
    "author contribution",
    "bibliography",
    "competing interest",
    "conflict of interest",
    "literature cited",
    "references",
];

/// Headings that count as such without a number.
const COMMON_HEADINGS: [&str; 13] = [
    "abstract",
    "appendix",
    "background",
    "conclusion",
    "data",
    "discussion",
    "experiment",
    "introduction",
    "materials and methods",
    "method",
    "related work",
    "result",
    "summary",
];

/// Keeps at most `limit` bytes of a paper's text.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let sections: Vec<&str> = sections(text)
        .into_iter()
        .filter(|section| !is_removed(heading(section)))
        .collect();
    let room = limit.saturating_sub(sections.len());
    let share = share(&sections, room);
    let kept: Vec<String> = sections
        .iter()
        .map(|part| shorten_section(part, share))
        .collect();
    kept.join("\n")
}

/// Splits the text before each heading. The text before the first heading is a section too.
fn sections(text: &str) -> Vec<&str> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if at > 0 && is_heading(line) {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(text.len());
    let ends = starts.iter().skip(1);
    let sections = starts.iter().zip(ends);
    sections
        .map(|(start, end)| text[*start..*end].trim())
        .filter(|section| !section.is_empty())
        .collect()
}

fn heading(section: &str) -> &str {
    section.lines().next().unwrap_or_default()
}

/// `3 Results`, `III. RESULTS`, `2.1. The data`, `Conclusions`.
fn is_heading(line: &str) -> bool {
    let line = line.trim();
    if line.len() > MAX_HEADING_BYTES || line.ends_with(['.', ',', ';', ':']) {
        return false;
    }
    let words = without_number(line);
    let is_numbered = words.len() < line.len();
    let begins_large = words.starts_with(char::is_uppercase);
    let few = (1..=10).contains(&words.split_whitespace().count());
    begins_large && few && (is_numbered || begins_with(words, &COMMON_HEADINGS) || is_removed(line))
}

fn is_removed(line: &str) -> bool {
    begins_with(without_number(line.trim()), &REMOVED_HEADINGS)
}

fn begins_with(words: &str, known: &[&str]) -> bool {
    let words = words.to_lowercase();
    known
        .iter()
        .any(|known| words.starts_with(known) && words.len() < known.len() + 24)
}

/// A line without the number of its section, Arabic or Roman.
fn without_number(line: &str) -> &str {
    let Some((number, words)) = line.split_once(char::is_whitespace) else {
        return line;
    };
    let digits = number.trim_end_matches('.');
    let arabic =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let is_number = digits.split('.').all(arabic);
    let is_roman = number.ends_with('.') && digits.bytes().all(|b| b"IVX".contains(&b));
    if !digits.is_empty() && (is_number || is_roman) {
        words.trim_start()
    } else {
        line
    }
}

/// How many bytes each section keeps, so that all together keep `room`.
fn share(sections: &[&str], room: usize) -> usize {
    let mut lengths: Vec<usize> = sections.iter().map(|section| section.len()).collect();
    lengths.sort_unstable();
    let mut left = room;
    for (shorter, length) in lengths.iter().enumerate() {
        let each = left / (lengths.len() - shorter);
        if *length > each {
            return each;
        }
        left -= length;
    }
    room
}

fn shorten_section(section: &str, limit: usize) -> String {
    if section.len() <= limit {
        return section.to_owned();
    }
    let end = section.floor_char_boundary(limit.saturating_sub(ELLIPSIS.len()));
    let kept = &section[..end];
    // Whether a word ends exactly here.
    let ends_a_word = section[end..].starts_with(char::is_whitespace);
    let words = if ends_a_word {
        kept
    } else {
        kept.rsplit_once(char::is_whitespace)
            .map_or("", |(words, _)| words)
    };
    let sentence = words.rfind(". ").map(|dot| &words[..=dot]);
    // A table has no sentence that ends near the limit.
    let kept = sentence
        .filter(|text| text.len() * 5 >= words.len() * 4)
        .unwrap_or(words);
    match kept.trim_end() {
        "" => String::new(),
        kept => format!("{kept}{ELLIPSIS}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper() -> String {
        let long = |word: &str| format!("{word} is told at some length here. ").repeat(40);
        format!(
            "Tides and Gauges\nA. Low, B. High\nAbstract\nThe moon pulls.\n1 Introduction\n{}\n2.1 The data\n{}\n\
             III. RESULTS\n{}\nAcknowledgements\nWe thank.\nReferences\n[1] {}\n",
            long("Beginning"),
            long("Gauge"),
            long("Result"),
            long("Reference"),
        )
    }

    #[test]
    fn a_text_that_fits_is_unchanged() {
        assert_eq!(
            shorten("Short. References\n[1]", 100),
            "Short. References\n[1]"
        );
    }

    #[test]
    fn every_section_is_kept_but_references_and_thanks() {
        let kept = shorten(&paper(), 1_500);
        assert!(kept.len() <= 1_500, "{}", kept.len());
        for part in [
            "Tides and",
            "The moon pulls.",
            "1 Introduction",
            "2.1 The data",
            "III. RESULTS",
        ] {
            assert!(kept.contains(part), "{part} is missing:\n{kept}");
        }
        assert!(!kept.contains("We thank") && !kept.contains("Reference is told"));
    }

    #[test]
    fn long_sections_share_what_short_ones_leave() {
        assert_eq!(share(&["aa", "bbbb", "cccccccc"], 10), 4);
        assert_eq!(share(&["aa", "bb"], 10), 10);
        assert_eq!(share(&["a".repeat(9).as_str(), &"b".repeat(9)], 10), 5);
    }

    #[test]
    fn no_word_and_no_character_is_split() {
        let text = "Überall 潮汐 und anderswo wörtlich ".repeat(30);
        for limit in 0..200 {
            let kept = shorten(&text, limit);
            assert!(kept.len() <= limit, "{limit}: {}", kept.len());
            let words = kept.trim_end_matches(ELLIPSIS).split_whitespace();
            for word in words {
                assert!(text.split_whitespace().any(|known| known == word), "{word}");
            }
        }
    }

    #[test]
    fn headings_are_distinguished_from_sentences() {
        for line in [
            "1 Introduction",
            "2.3. Deep Tides",
            "IV. METHODS",
            "Conclusions",
            "Data availability",
        ] {
            assert!(is_heading(line), "{line}");
        }
        for line in [
            "1 of them was broken.",
            "In 2021 we began",
            "2021 was a year of tides",
            "I think so",
            "Results of this kind, which have been known for a long time among those who measure",
            "",
        ] {
            assert!(!is_heading(line), "{line}");
        }
    }
}
