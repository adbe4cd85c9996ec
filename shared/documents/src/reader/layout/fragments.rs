//! Fragments: what is drawn one glyph after another and stands together, mostly a word.

use super::glyphs::Glyph;

/// From one glyph to the next, in sizes: more is a space, also where none is drawn. Fonts space words by a fifth and more,
/// and move letters towards each other or apart by less than a tenth.
pub(super) const SPACE: f64 = 0.15;
/// As far back as a glyph may stand, in sizes: an accent over the letter before.
const BACK: f64 = -0.5;
/// As much higher or lower, in sizes; more is an index.
const ON_LINE: f64 = 0.1;
/// As much larger or smaller.
const SAME_SIZE: f64 = 1.2;

/// Some text on a line.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    /// Where it begins.
    pub left: f64,
    /// Where it ends.
    pub right: f64,
    /// Of the baseline.
    pub y: f64,
    pub size: f64,
    pub text: String,
    /// A space is drawn before it.
    pub spaced: bool,
}

impl Fragment {
    /// The top of most letters.
    pub fn top(&self) -> f64 {
        self.y - 0.7 * self.size
    }

    /// The bottom of most letters.
    pub fn bottom(&self) -> f64 {
        self.y + 0.2 * self.size
    }

    fn continues_with(&self, glyph: &Glyph) -> bool {
        let gap = (glyph.x - self.right) / self.size;
        let ratio = self.size.max(glyph.size) / self.size.min(glyph.size);
        (BACK..SPACE).contains(&gap)
            && (glyph.y - self.y).abs() < ON_LINE * self.size
            && ratio < SAME_SIZE
    }
}

/// In the order in which they are drawn.
pub(super) fn fragments(glyphs: Vec<Glyph>) -> Vec<Fragment> {
    let mut fragments: Vec<Fragment> = Vec::new();
    // A space ends what stands before it.
    let mut spaced = false;
    for glyph in glyphs {
        let Some(text) = readable(&glyph.text) else {
            spaced = true;
            continue;
        };
        match fragments.last_mut() {
            Some(last) if !spaced && last.continues_with(&glyph) => {
                last.text.push_str(&text);
                last.right = last.right.max(glyph.x + glyph.advance);
            }
            _ => fragments.push(Fragment {
                left: glyph.x,
                right: glyph.x + glyph.advance,
                y: glyph.y,
                size: glyph.size,
                text,
                spaced,
            }),
        }
        spaced = false;
    }
    fragments
}

/// Letters instead of ligatures, which nobody searches for; nothing for a space or what only steers a terminal.
fn readable(text: &str) -> Option<String> {
    let visible = text
        .chars()
        .filter(|char| !char.is_whitespace() && !char.is_control());
    let mut readable = String::new();
    for char in visible {
        match char {
            '\u{fb00}' => readable.push_str("ff"),
            '\u{fb01}' => readable.push_str("fi"),
            '\u{fb02}' => readable.push_str("fl"),
            '\u{fb03}' => readable.push_str("ffi"),
            '\u{fb04}' => readable.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => readable.push_str("st"),
            char => readable.push(char),
        }
    }
    (!readable.is_empty()).then_some(readable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half its size wide, as many glyphs are.
    fn glyph(x: f64, y: f64, text: &str) -> Glyph {
        Glyph {
            x,
            y,
            advance: 5.0,
            size: 10.0,
            text: text.to_owned(),
        }
    }

    fn texts(glyphs: Vec<Glyph>) -> Vec<String> {
        fragments(glyphs).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn letters_that_touch_are_one_fragment_and_a_gap_or_a_space_divides() {
        let glyphs = vec![
            glyph(0.0, 0.0, "a"),
            glyph(5.2, 0.0, "b"),
            glyph(12.0, 0.0, "c"),
            glyph(17.0, 0.0, " "),
            glyph(17.0, 0.0, "d"),
        ];
        assert_eq!(texts(glyphs), ["ab", "c", "d"]);
    }

    #[test]
    fn an_index_and_the_next_line_are_fragments_of_their_own() {
        let glyphs = vec![
            glyph(0.0, 0.0, "x"),
            glyph(5.0, -4.0, "2"),
            glyph(0.0, 12.0, "y"),
        ];
        assert_eq!(texts(glyphs), ["x", "2", "y"]);
    }

    #[test]
    fn a_ligature_is_its_letters() {
        assert_eq!(readable("\u{fb03}").as_deref(), Some("ffi"));
        assert_eq!(readable("\u{a0}"), None);
        assert_eq!(readable("\u{7}"), None);
    }
}
