//! Fragments: adjacent glyphs that are drawn consecutively, mostly one word.

use super::glyphs::Glyph;
use super::letters::readable;

/// The gap between two glyphs that makes a space, in font sizes, even if no space is drawn. Fonts
/// space words by at least a fifth and kern letters by less than a tenth.
pub(super) const SPACE: f64 = 0.15;
/// The maximum step back, in font sizes: an accent stands over the previous letter.
const BACK: f64 = -0.5;
/// The maximum vertical offset, in font sizes. A larger one is a subscript or superscript.
const ON_LINE: f64 = 0.1;
/// The maximum ratio of two font sizes in a fragment.
const SAME_SIZE: f64 = 1.2;

/// A piece of text on a line.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    /// The x coordinate of its start.
    pub left: f64,
    /// The x coordinate of its end.
    pub right: f64,
    /// The y coordinate of the baseline.
    pub y: f64,
    pub size: f64,
    pub text: String,
    /// Whether a space is drawn before it.
    pub spaced: bool,
}

impl Fragment {
    /// The top edge of most letters.
    pub fn top(&self) -> f64 {
        self.y - 0.7 * self.size
    }

    /// The bottom edge of most letters.
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

/// The fragments in drawing order.
pub(super) fn fragments(glyphs: Vec<Glyph>) -> Vec<Fragment> {
    let mut fragments: Vec<Fragment> = Vec::new();
    // A space ends a fragment.
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

#[cfg(test)]
mod tests {
    use super::super::glyphs::glyph;
    use super::*;

    fn texts(glyphs: Vec<Glyph>) -> Vec<String> {
        fragments(glyphs).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn touching_letters_form_a_fragment_that_a_gap_or_space_ends() {
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
    fn an_index_and_the_next_line_are_separate_fragments() {
        let glyphs = vec![
            glyph(0.0, 0.0, "x"),
            glyph(5.0, -4.0, "2"),
            glyph(0.0, 12.0, "y"),
        ];
        assert_eq!(texts(glyphs), ["x", "2", "y"]);
    }
}
