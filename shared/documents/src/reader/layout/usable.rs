//! Decides whether a page's text layer is the text that a person would read on the page.

use super::Drawn;

/// The maximum share of characters without meaning. A formula has some; in a font without a
/// character map all are.
const MAX_UNREADABLE: f64 = 0.2;
/// The minimum share of a page that an image covers in a scan.
const SCAN: f64 = 0.5;
/// The minimum number of letters of a scan with a text layer. A stamp or a page number has fewer.
const LETTERS_OF_A_PAGE: usize = 200;
/// The maximum number of paths on an empty page, for a frame or a rule. Text that is drawn as
/// outlines has more.
const PATHS: usize = 20;

/// A text layer is usable if at most a fifth of it is unreadable. A page that is half covered by an
/// image needs 200 letters and digits. Any other page needs one letter or digit, or no content at
/// all.
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

/// A character without a standardised meaning.
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
    fn a_short_page_of_text_is_usable() {
        assert!(usable("Part II", TEXT));
        assert!(usable("Часть 2", TEXT));
        assert!(usable("第二部", TEXT));
    }

    #[test]
    fn a_scan_with_a_complete_text_layer_is_usable() {
        assert!(!usable("", SCANNED));
        assert!(!usable("Downloaded from a library on 1 May 2026", SCANNED));
        assert!(usable(&"the text of a page ".repeat(20), SCANNED));
    }

    #[test]
    fn text_in_a_font_without_a_character_map_is_not_usable() {
        assert!(!usable("\u{fffd}\u{fffd}\u{fffd} a", TEXT));
        assert!(!usable("\u{e001}\u{e002}\u{e003} 7", TEXT));
        assert!(usable("a sum \u{fffd} of many terms", TEXT));
    }

    #[test]
    fn an_empty_page_is_usable_and_a_page_of_outlines_is_not() {
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
