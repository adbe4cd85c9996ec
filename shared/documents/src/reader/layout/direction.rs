//! The direction of text. A page shows a line from left to right; its text is in the order in which
//! it is read (Unicode Standard Annex 9, here in reverse).

use unicode_bidi::{BidiClass, BidiInfo, Level, bidi_class};

use super::rows::TextLine;

/// The first letter of a script that is read from right to left.
const FIRST_RIGHT_TO_LEFT: char = '\u{590}';

/// Whether a letter is of a script that is read from right to left.
pub(super) fn is_right_to_left(char: char) -> bool {
    // Saves most letters the search in the table of classes, a seventh of a page's time.
    char >= FIRST_RIGHT_TO_LEFT && matches!(bidi_class(char), BidiClass::R | BidiClass::AL)
}

/// Whether most letters of the lines with letters from right to left are such letters.
pub(super) fn mostly_right_to_left<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let mut balance = 0_i64;
    for line in lines.filter(|line| line.chars().any(is_right_to_left)) {
        for char in line.chars() {
            match bidi_class(char) {
                BidiClass::R | BidiClass::AL => balance += 1,
                BidiClass::L => balance -= 1,
                _ => {}
            }
        }
    }
    balance > 0
}

/// Puts the text of lines as they are shown into the order in which it is read.
pub(super) fn order(lines: &mut [TextLine]) {
    let right_to_left = mostly_right_to_left(lines.iter().map(|line| line.text.as_str()));
    for line in lines {
        if line.text.chars().any(is_right_to_left) {
            line.text = read(&line.text, right_to_left);
        }
    }
}

/// The text of a shown line, in a paragraph of this direction.
fn read(shown: &str, right_to_left: bool) -> String {
    if !right_to_left {
        // To turn the runs from right to left around twice changes nothing.
        return turned(shown, Level::ltr())
            .into_iter()
            .map(|(_, char)| char)
            .collect();
    }
    // From its right end the line is in the order of reading, except for words and numbers that are
    // read from left to right.
    let from_right: String = shown.chars().rev().collect();
    let levels = levels(&from_right, Level::rtl());
    let mut text = String::with_capacity(shown.len());
    let mut run = String::new();
    for (char, level) in from_right.chars().zip(levels) {
        match level.is_ltr() {
            true => run.push(char),
            false => {
                text.extend(run.drain(..).rev());
                text.push(mirrored(char));
            }
        }
    }
    text.extend(run.drain(..).rev());
    text
}

/// The places of a text's letters as they stand on a page, from left to right, each with what is
/// shown of it.
pub(super) fn shown(text: &str) -> Vec<(usize, char)> {
    match mostly_right_to_left(std::iter::once(text)) {
        true => turned(text, Level::rtl()),
        false => turned(text, Level::ltr()),
    }
}

/// The places of the letters after the runs from right to left are turned around.
fn turned(text: &str, base: Level) -> Vec<(usize, char)> {
    let chars: Vec<char> = text.chars().collect();
    let levels = levels(text, base);
    let order = BidiInfo::reorder_visual(&levels).into_iter();
    let places = order.map(|place| match levels[place].is_rtl() {
        true => (place, mirrored(chars[place])),
        false => (place, chars[place]),
    });
    places.collect()
}

/// The level of each character.
fn levels(text: &str, base: Level) -> Vec<Level> {
    let info = BidiInfo::new(text, Some(base));
    let places = text.char_indices();
    places.map(|(place, _)| info.levels[place]).collect()
}

/// A bracket as it is written, which from right to left is shown as its counterpart.
fn mirrored(char: char) -> char {
    const PAIRS: [(char, char); 6] = [
        ('(', ')'),
        ('[', ']'),
        ('{', '}'),
        ('<', '>'),
        ('«', '»'),
        ('‹', '›'),
    ];
    let pair = PAIRS
        .iter()
        .find(|(open, close)| char == *open || char == *close);
    match pair {
        Some((open, close)) if char == *close => *open,
        Some((_, close)) => *close,
        None => char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_letter_before_the_first_one_is_read_from_right_to_left() {
        let is = |char| matches!(bidi_class(char), BidiClass::R | BidiClass::AL);
        let first = ('\0'..=char::MAX).find(|char| is(*char));
        assert!(first.is_some_and(|first| first >= FIRST_RIGHT_TO_LEFT));
        assert!(('\0'..=char::MAX).all(|char| is(char) == is_right_to_left(char)));
    }

    /// What is read of lines as they are shown.
    fn ordered(shown: &[&str]) -> Vec<String> {
        let mut lines: Vec<TextLine> = shown
            .iter()
            .map(|text| TextLine {
                y: 0.0,
                size: 10.0,
                text: (*text).to_owned(),
            })
            .collect();
        order(&mut lines);
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn hebrew_and_arabic_are_read_from_the_right() {
        assert_eq!(ordered(&["םלוע םולש"]), ["שלום עולם"]);
        assert_eq!(ordered(&["ملاع ابحرم"]), ["مرحبا عالم"]);
    }

    #[test]
    fn numbers_and_words_keep_their_order() {
        assert_eq!(ordered(&["2026 תנשב 13 םוי"]), ["יום 13 בשנת 2026"]);
        assert_eq!(ordered(&["ברב PDF ץבוק"]), ["קובץ PDF ברב"]);
        assert_eq!(ordered(&["٢٠٢٦ ةنس"]), ["سنة ٢٠٢٦"]);
    }

    #[test]
    fn brackets_open_where_they_are_read_first() {
        assert_eq!(ordered(&[".(1948) הנידמ"]), ["מדינה (1948)."]);
    }

    #[test]
    fn a_word_within_another_script_is_turned_alone() {
        assert_eq!(
            ordered(&["The greeting םולש means peace, 3 times."]),
            ["The greeting שלום means peace, 3 times."]
        );
    }

    #[test]
    fn a_line_without_such_letters_stays() {
        assert_eq!(ordered(&["םלוע םולש", "a (b) 3."])[1], "a (b) 3.");
    }
}
