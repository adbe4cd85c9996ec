//! Rows: fragments beside each other, and the line of text that they form.

use super::fragments::{Fragment, SPACE};

/// The minimum overlap of two fragments on one line, as a share of the smaller height. An index has
/// it; the next line does not.
pub(super) const ON_A_LINE: f64 = 0.5;
/// The minimum overlap of two fragments beside each other. One may be half a line lower.
pub(super) const BESIDE: f64 = 0.1;
/// The number of rows, newest first, to which a fragment can be added. Fragments come from top to
/// bottom.
const OPEN: usize = 6;
/// Two fragments with the same text that are closer than this, in font sizes, are one fragment
/// drawn twice to look bold.
const TWICE: f64 = 0.2;

/// Fragments beside each other, in no order. The largest one defines the row's position.
#[derive(Debug)]
pub(super) struct Row {
    pub fragments: Vec<Fragment>,
    largest: usize,
}

/// A line of text.
#[derive(Debug)]
pub(super) struct TextLine {
    /// The y coordinate of the baseline.
    pub y: f64,
    /// The largest font size in the line.
    pub size: f64,
    pub text: String,
}

/// Rows from top to bottom, of fragments that overlap vertically by at least `least`.
pub(super) fn rows(mut fragments: Vec<Fragment>, least: f64) -> Vec<Row> {
    fragments.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut rows: Vec<Row> = Vec::new();
    for fragment in fragments {
        let open = rows.iter_mut().rev().take(OPEN);
        let best = open
            .map(|row| (shared(row.place(), &fragment), row))
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        match best {
            Some((share, row)) if share >= least => row.push(fragment),
            _ => rows.push(Row {
                fragments: vec![fragment],
                largest: 0,
            }),
        }
    }
    rows.sort_by(|a, b| a.place().y.total_cmp(&b.place().y));
    rows
}

/// The overlap of two fragments as a share of the smaller height.
fn shared(a: &Fragment, b: &Fragment) -> f64 {
    let common = a.bottom().min(b.bottom()) - a.top().max(b.top());
    common / (a.bottom() - a.top()).min(b.bottom() - b.top())
}

impl Row {
    /// The fragment that defines the row's position.
    pub fn place(&self) -> &Fragment {
        &self.fragments[self.largest]
    }

    fn push(&mut self, fragment: Fragment) {
        if fragment.size > self.place().size {
            self.largest = self.fragments.len();
        }
        self.fragments.push(fragment);
    }

    /// The text from left to right, with a space for each wide gap.
    pub fn line(mut self) -> TextLine {
        let Fragment { y, size, .. } = *self.place();
        self.fragments.sort_by(|a, b| a.left.total_cmp(&b.left));
        let mut text = String::new();
        let mut before: Option<&Fragment> = None;
        for fragment in &self.fragments {
            if let Some(before) = before {
                if before.text == fragment.text
                    && (fragment.left - before.left).abs() < TWICE * fragment.size
                {
                    continue;
                }
                // Relative to the smaller of the two sizes, because an index stands close.
                let gap = (fragment.left - before.right) / fragment.size.min(before.size);
                if gap >= SPACE || fragment.spaced && gap > 0.0 {
                    text.push(' ');
                }
            }
            text.push_str(&fragment.text);
            before = Some(fragment);
        }
        TextLine { y, size, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(left: f64, y: f64, size: f64, text: &str) -> Fragment {
        Fragment {
            left,
            right: left + size / 2.0 * text.len() as f64,
            y,
            size,
            text: text.to_owned(),
            spaced: false,
        }
    }

    fn lines(fragments: Vec<Fragment>) -> Vec<String> {
        rows(fragments, ON_A_LINE)
            .into_iter()
            .map(|row| row.line().text)
            .collect()
    }

    #[test]
    fn fragments_are_ordered_regardless_of_their_drawing_order() {
        let fragments = vec![
            fragment(60.0, 24.0, 10.0, "line"),
            fragment(0.0, 24.0, 10.0, "the second"),
            fragment(22.0, 12.0, 10.0, "first"),
            fragment(0.0, 12.0, 10.0, "the"),
        ];
        assert_eq!(lines(fragments), ["the first", "the second line"]);
    }

    #[test]
    fn an_index_stays_on_its_line() {
        let fragments = vec![
            fragment(0.0, 0.0, 10.0, "above"),
            fragment(0.0, 12.0, 10.0, "E=mc"),
            fragment(20.0, 8.0, 7.0, "2"),
            fragment(26.0, 12.0, 10.0, "holds"),
        ];
        assert_eq!(lines(fragments), ["above", "E=mc2 holds"]);
    }

    #[test]
    fn text_drawn_twice_to_look_bold_is_read_once() {
        let fragments = vec![
            fragment(0.0, 0.0, 10.0, "bold"),
            fragment(0.3, 0.0, 10.0, "bold"),
        ];
        assert_eq!(lines(fragments), ["bold"]);
    }
}
