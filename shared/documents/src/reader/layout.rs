//! Converts positioned glyphs into text in reading order.
//!
//! A PDF draws glyphs in any order. Adjacent glyphs form fragments, fragments form rows, and rows
//! are split where a gutter crosses several of them. Text that is rotated by a quarter turn follows
//! the upright text. Text that is read from right to left is put into that order.

mod accents;
mod columns;
mod direction;
mod fragments;
mod glyphs;
mod letters;
mod rows;
mod tables;
mod usable;

pub(super) use glyphs::{Drawn, Glyphs};
pub(super) use usable::usable;

use glyphs::Glyph;
use rows::TextLine;

/// The text of a page.
pub(super) fn reading_order(glyphs: Glyphs) -> String {
    let mut text = String::new();
    for turned in glyphs.by_turn() {
        append(&mut text, &lines(turned));
    }
    letters::composed(&text)
}

fn lines(glyphs: Vec<Glyph>) -> Vec<TextLine> {
    let fragments = fragments::fragments(accents::joined(glyphs));
    let mut lines = columns::lines(fragments);
    direction::order(&mut lines);
    lines
}

/// Joins lines: an empty line where the distance exceeds the line spacing, and a rejoined word
/// where it was hyphenated at the end of a line.
fn append(text: &mut String, lines: &[TextLine]) {
    /// The distance between two baselines that makes a paragraph, relative to the larger font size.
    /// Lines are 1.0 to 1.5 apart.
    const PARAGRAPH: f64 = 1.7;
    let mut before: Option<&TextLine> = None;
    if !text.is_empty() {
        text.push('\n');
    }
    for line in lines {
        let divided = before.is_some_and(|before| is_divided(&before.text, &line.text));
        if divided {
            // Removes the line break and the hyphen.
            text.pop();
            text.pop();
        } else if let Some(before) = before
            && line.y - before.y > PARAGRAPH * before.size.max(line.size)
        {
            text.push('\n');
        }
        text.push_str(&line.text);
        text.push('\n');
        before = Some(line);
    }
}

/// Whether a hyphen divides one word: lower-case letters follow it, or both sides are capitals. A
/// compound word loses its own hyphen when it is divided there.
fn is_divided(line: &str, next: &str) -> bool {
    let mut ends = line.chars().rev();
    let hyphen = matches!(ends.next(), Some('-' | '\u{ad}' | '\u{2010}'));
    let Some(before) = ends.next().filter(|char| hyphen && char.is_alphabetic()) else {
        return false;
    };
    let mut begins = next.chars();
    let behind = [begins.next(), begins.next()].map(|char| char.unwrap_or(' '));
    behind[0].is_lowercase()
        || [before, behind[0], behind[1]]
            .iter()
            .all(|it| it.is_uppercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(y: f64, text: &str) -> TextLine {
        TextLine {
            y,
            size: 10.0,
            text: text.to_owned(),
        }
    }

    fn joined(lines: &[TextLine]) -> String {
        let mut text = String::new();
        append(&mut text, lines);
        text
    }

    #[test]
    fn a_hyphenated_word_is_rejoined() {
        let lines = [line(0.0, "a divi\u{ad}"), line(12.0, "ded word, a dash -")];
        assert_eq!(joined(&lines), "a divided word, a dash -\n");
        let lines = [
            line(0.0, "the X-"),
            line(12.0, "Ray of 1999-"),
            line(24.0, "2001"),
        ];
        assert_eq!(joined(&lines), "the X-\nRay of 1999-\n2001\n");
        let lines = [line(0.0, "is OP-"), line(12.0, "TIONAL")];
        assert_eq!(joined(&lines), "is OPTIONAL\n");
    }

    #[test]
    fn a_distance_above_the_line_spacing_makes_a_paragraph() {
        let lines = [
            line(0.0, "one"),
            line(14.0, "one"),
            line(40.0, "two"),
            line(0.0, "next column"),
        ];
        assert_eq!(joined(&lines), "one\none\n\ntwo\nnext column\n");
    }

    /// Glyphs at random positions on a grid as coarse as lines and columns, each with a unique
    /// letter.
    fn anywhere() -> impl Strategy<Value = Vec<Glyph>> {
        let place = (0..60_u32, 0..40_u32, 6..20_u32, 0..12_u32);
        prop::collection::vec(place, 0..300).prop_map(|places| {
            let glyphs = places.into_iter().zip('一'..);
            let glyph = |((x, y, size, advance), letter): (_, char)| Glyph {
                x: f64::from(x) * 9.7,
                y: f64::from(y) * 7.3,
                advance: f64::from(advance),
                size: f64::from(size),
                text: letter.to_string(),
            };
            glyphs.map(glyph).collect()
        })
    }

    proptest! {
        #[test]
        fn each_letter_is_read_exactly_once_at_any_position(glyphs in anywhere()) {
            let drawn: String = glyphs.iter().map(|glyph| glyph.text.as_str()).collect();
            let mut read: Vec<char> = lines(glyphs).iter().flat_map(|line| line.text.chars()).collect();
            read.retain(|char| !char.is_whitespace());
            read.sort_unstable();
            prop_assert_eq!(read.into_iter().collect::<String>(), drawn);
        }
    }
}
