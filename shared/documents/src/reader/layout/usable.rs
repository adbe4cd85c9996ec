//! Whether a page's text layer is what a person would read there.

use super::Drawn;

/// As much of the text as may be without meaning: a formula has some, a font that names nothing is nothing else.
const MAX_UNREADABLE: f64 = 0.2;
/// An image of this share of the page is a scan, or a picture.
const SCAN: f64 = 0.5;
/// Letters that a page which is a scan has at least if somebody has read it before. A stamp or a number has fewer.
const LETTERS_OF_A_PAGE: usize = 200;
/// As many lines and areas as a page without text may have, for a frame or a rule. Text drawn by outlines has more.
const PATHS: usize = 20;

/// The rule: at most a fifth without meaning; on a page that an image covers by half, 200 letters and digits; elsewhere one
/// letter or digit, or a page on which there is nothing to read.
pub(in super::super) fn usable(text: &str, drawn: Drawn) -> bool {
    let visible = text.chars().filter(|char| !char.is_whitespace());
    let unreadable = visible.clone().filter(|&char| is_unreadable(char)).count();
    if unreadable as f64 > MAX_UNREADABLE * visible.clone().count() as f64 {
        return false;
    }
    let letters = visible.filter(|char| char.is_alphanumeric()).count();
    match letters {
        _ if drawn.image >= SCAN => letters >= LETTERS_OF_A_PAGE,
        0 => drawn.image == 0.0 && drawn.paths <= PATHS,
        _ => true,
    }
}

/// No meaning that anybody agrees on.
fn is_unreadable(char: char) -> bool {
    matches!(char, char::REPLACEMENT_CHARACTER | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Drawn = Drawn {
        image: 0.0,
        paths: 0,
    };
    const SCANNED: Drawn = Drawn {
        image: 1.0,
        paths: 0,
    };

    #[test]
    fn a_page_of_text_is_usable_however_short() {
        assert!(usable("Part II", TEXT));
        assert!(usable("Часть 2", TEXT));
        assert!(usable("第二部", TEXT));
    }

    #[test]
    fn a_scan_is_usable_when_somebody_has_read_it_before() {
        assert!(!usable("", SCANNED));
        assert!(!usable("Downloaded from a library on 1 May 2026", SCANNED));
        assert!(usable(&"the text of a page ".repeat(20), SCANNED));
    }

    #[test]
    fn a_font_that_names_nothing_is_not_usable() {
        assert!(!usable("\u{fffd}\u{fffd}\u{fffd} a", TEXT));
        assert!(!usable("\u{e001}\u{e002}\u{e003} 7", TEXT));
        assert!(usable("a sum \u{fffd} of many terms", TEXT));
    }

    #[test]
    fn an_empty_page_has_nothing_to_read_and_a_drawn_one_has() {
        assert!(usable("", TEXT));
        let picture = Drawn {
            image: 0.2,
            paths: 0,
        };
        assert!(!usable("", picture));
        let outlines = Drawn {
            image: 0.0,
            paths: 900,
        };
        assert!(!usable("\n", outlines));
    }
}
