//! Rows: fragments that stand beside each other, and the line of text that they make.

use super::fragments::{Fragment, SPACE};

/// As much of the smaller height as two fragments share at least on a line: an index does, the next line doesn't.
pub(super) const ON_A_LINE: f64 = 0.5;
/// As much as they share where one stands beside the other, be it half a line lower.
pub(super) const BESIDE: f64 = 0.1;
/// Rows that are still open for a fragment, the newest first. Fragments come from the top.
const OPEN: usize = 6;
/// Two fragments that differ by less in place, in sizes, and not in text, are one that was drawn twice to look bold.
const TWICE: f64 = 0.2;

/// Fragments beside each other, in no order. Its place is that of its largest.
#[derive(Debug)]
pub(super) struct Row {
    pub fragments: Vec<Fragment>,
    largest: usize,
}

/// A line of text.
#[derive(Debug)]
pub(super) struct Line {
    /// Of the baseline.
    pub y: f64,
    /// Of the largest font in it.
    pub size: f64,
    pub text: String,
}

/// Rows from the top, of fragments that share so much of their height.
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

/// Of the smaller height, how much two fragments share.
fn shared(a: &Fragment, b: &Fragment) -> f64 {
    let common = a.bottom().min(b.bottom()) - a.top().max(b.top());
    common / (a.bottom() - a.top()).min(b.bottom() - b.top())
}

impl Row {
    /// What its place is.
    pub fn place(&self) -> &Fragment {
        &self.fragments[self.largest]
    }

    fn push(&mut self, fragment: Fragment) {
        if fragment.size > self.place().size {
            self.largest = self.fragments.len();
        }
        self.fragments.push(fragment);
    }

    /// From left to right, with a space where there is room for one.
    pub fn line(mut self) -> Line {
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
                // By the smaller of the two: an index stands close.
                let gap = (fragment.left - before.right) / fragment.size.min(before.size);
                if gap >= SPACE || fragment.spaced && gap > 0.0 {
                    text.push(' ');
                }
            }
            text.push_str(&fragment.text);
            before = Some(fragment);
        }
        Line { y, size, text }
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
    fn fragments_are_put_in_order_whenever_they_were_drawn() {
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
    fn what_is_drawn_twice_to_look_bold_is_read_once() {
        let fragments = vec![
            fragment(0.0, 0.0, 10.0, "bold"),
            fragment(0.3, 0.0, 10.0, "bold"),
        ];
        assert_eq!(lines(fragments), ["bold"]);
    }
}
