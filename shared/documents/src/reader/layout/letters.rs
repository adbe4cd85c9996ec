//! The letters of a glyph: shapes that stand for letters become those letters, so that the text can
//! be searched. Signs that mean something else, as in `x²`, stay.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;

use super::direction::is_right_to_left;

/// The characters of U+2E80 to U+2EF3 as ideographs (Unicode, `EquivalentUnifiedIdeograph.txt`).
const RADICALS: &str = "⺀厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵⺚旡日月歺母民氵氺灬\
    爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车\
    辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟";
const FIRST_RADICAL: char = '\u{2e80}';

/// The visible letters of a glyph; none for spaces and control characters. The letters of one glyph
/// that are read from right to left come in the order in which they stand on the page.
pub(super) fn readable(text: &str) -> Option<String> {
    let visible = |char: &char| !char.is_whitespace() && !char.is_control();
    let mut letters = String::new();
    for char in text.chars().filter(visible) {
        fold(char, |char| letters.extend(Some(char).filter(visible)));
    }
    if letters.chars().any(is_right_to_left) {
        letters = letters.chars().rev().collect();
    }
    (!letters.is_empty()).then_some(letters)
}

/// The text with each letter and its accents as one character, as far as there is one.
pub(super) fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// The letters that a compatibility character of a script stands for.
fn fold(char: char, add: impl FnMut(char)) {
    let add = &mut { add };
    match char {
        '\u{2e80}'..='\u{2ef3}' => {
            let place = char as usize - FIRST_RADICAL as usize;
            add(RADICALS.chars().nth(place).unwrap_or(char));
        }
        // Kangxi radicals, presentation forms (Latin, Armenian, Hebrew, Arabic; vertical, small),
        // and half-width Katakana and Hangul.
        '\u{2f00}'..='\u{2fd5}'
        | '\u{fb00}'..='\u{fdff}'
        | '\u{fe10}'..='\u{fe19}'
        | '\u{fe30}'..='\u{fefc}'
        | '\u{ff61}'..='\u{ffdc}' => decompose_compatible(char, add),
        char => add(char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        composed(&readable(text).unwrap_or_default())
    }

    #[test]
    fn shapes_of_letters_become_letters() {
        for (shape, letters) in [
            ("\u{fb03}", "ffi"),
            ("\u{fb05}", "st"),
            ("\u{2f45}\u{2f74}\u{2f00}\u{2ed8}", "方立一青"),
            ("\u{2e80}\u{2ef3}", "\u{2e80}龟"),
            ("\u{ff76}\u{ff9e}", "ガ"),
            ("\u{fe8d}", "ا"),
            // Alef follows Lam in the text, and stands left of it on the page.
            ("\u{fefb}", "ال"),
            ("\u{f900}", "豈"),
            ("e\u{301}", "é"),
        ] {
            assert_eq!(read(shape), letters, "{shape}");
        }
        assert_eq!(readable("\u{a0}"), None);
        assert_eq!(readable("\u{7}"), None);
    }

    #[test]
    fn signs_with_a_meaning_of_their_own_stay() {
        for sign in ["x²", "H₂O", "½", "①", "℃", "，", "Ａ", "™"] {
            assert_eq!(read(sign), sign);
        }
    }

    #[test]
    fn each_radical_has_its_place() {
        assert_eq!(RADICALS.chars().count(), 0x2ef4 - 0x2e80);
    }
}
