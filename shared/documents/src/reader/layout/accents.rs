//! Accents that are drawn over a letter, as TeX does, become a part of it.

use super::glyphs::Glyph;

/// The greatest vertical distance of an accent's baseline from the letter's, in font sizes.
const RAISED: f64 = 0.5;

/// Joins each accent to the letter over which it is drawn, before it or behind it.
pub(super) fn joined(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let mut joined: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    let mut waiting: Option<(Glyph, char)> = None;
    for mut glyph in glyphs {
        if let Some((accent, mark)) = waiting.take() {
            match is_over(&accent, &glyph) {
                true => add(&mut glyph, mark),
                false => joined.push(accent),
            }
        }
        match mark(&glyph) {
            None => joined.push(glyph),
            Some(mark) => match joined.last_mut() {
                Some(letter) if is_over(&glyph, letter) => add(letter, mark),
                _ => waiting = Some((glyph, mark)),
            },
        }
    }
    joined.extend(waiting.map(|(accent, _)| accent));
    joined
}

/// Whether the middle of an accent is within the width of a letter.
fn is_over(accent: &Glyph, letter: &Glyph) -> bool {
    let middle = accent.x + accent.advance / 2.0;
    letter.text.chars().next().is_some_and(char::is_alphabetic)
        && (letter.x..letter.x + letter.advance).contains(&middle)
        && (accent.y - letter.y).abs() < RAISED * letter.size
}

fn add(letter: &mut Glyph, mark: char) {
    // Accents are drawn over an i without its dot.
    letter.text = letter.text.replace('ı', "i").replace('ȷ', "j");
    letter.text.push(mark);
}

/// The combining mark of an accent that has a width of its own.
fn mark(glyph: &Glyph) -> Option<char> {
    let mut chars = glyph.text.chars();
    let accent = chars.next().filter(|_| chars.next().is_none())?;
    Some(match accent {
        '`' | 'ˋ' => '\u{300}',
        '´' | 'ˊ' => '\u{301}',
        '^' | 'ˆ' => '\u{302}',
        '~' | '˜' => '\u{303}',
        '¯' | 'ˉ' => '\u{304}',
        '˘' => '\u{306}',
        '˙' => '\u{307}',
        '¨' => '\u{308}',
        '˚' | '°' => '\u{30a}',
        '˝' => '\u{30b}',
        'ˇ' => '\u{30c}',
        '¸' => '\u{327}',
        '˛' => '\u{328}',
        '\u{300}'..='\u{36f}' => accent,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::glyphs::glyph;
    use super::*;

    fn texts(glyphs: Vec<Glyph>) -> Vec<String> {
        joined(glyphs).into_iter().map(|glyph| glyph.text).collect()
    }

    #[test]
    fn an_accent_joins_the_letter_below_it_in_any_drawing_order() {
        for (accent, letter, expected) in [
            ("¨", "o", "o\u{308}"),
            ("´", "E", "E\u{301}"),
            ("¸", "c", "c\u{327}"),
            ("ˆ", "ı", "i\u{302}"),
            ("\u{301}", "a", "a\u{301}"),
        ] {
            let (accent, letter) = (glyph(0.5, -2.0, accent), glyph(0.0, 0.0, letter));
            assert_eq!(texts(vec![accent.clone(), letter.clone()]), [expected]);
            assert_eq!(texts(vec![letter, accent]), [expected]);
        }
    }

    #[test]
    fn an_accent_beside_a_letter_or_over_a_sign_stays_alone() {
        let beside = vec![
            glyph(0.0, 0.0, "f"),
            glyph(5.0, 0.0, "´"),
            glyph(10.0, 0.0, "x"),
        ];
        assert_eq!(texts(beside), ["f", "´", "x"]);
        let over_a_sign = vec![glyph(0.0, 0.0, "="), glyph(0.0, 0.0, "~")];
        assert_eq!(texts(over_a_sign), ["=", "~"]);
        let next_line = vec![glyph(0.0, 12.0, "o"), glyph(0.0, 0.0, "¨")];
        assert_eq!(texts(next_line), ["o", "¨"]);
        assert_eq!(texts(vec![glyph(0.0, 0.0, "¨")]), ["¨"]);
    }
}
