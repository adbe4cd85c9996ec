//! Tells a table from columns of prose. Both have a gutter, and rows of a table may be as long as
//! lines of prose, as in a reference card.
//!
//! Prose breaks a line only where the next word does not fit. The lines of a table end anywhere,
//! and the cells of a row share a baseline.

use super::fragments::Fragment;
use super::rows::Row;

/// Minimum share of the rows whose cells share a baseline.
const ALIGNED: f64 = 0.9;
/// The distance of two baselines that are the same, in font sizes.
const SAME: f64 = 0.1;
/// Minimum share of the lines of prose behind which the next word does not fit. The last line of a
/// paragraph is short.
const FULL_LINES: f64 = 0.5;
/// The width of a space between words, in font sizes.
const SPACE: f64 = 0.25;

/// Whether the text on both sides of a gutter belongs together row by row.
pub(super) fn is_table(rows: &[Row], gutter: f64) -> bool {
    let sides = rows.iter().map(|row| -> (Vec<&Fragment>, Vec<&Fragment>) {
        let mut fragments = row.fragments.iter();
        match fragments.any(|it| it.left < gutter && gutter < it.right) {
            true => (vec![], vec![]),
            false => row.fragments.iter().partition(|it| it.left < gutter),
        }
    });
    let (left, right): (Vec<_>, Vec<_>) = sides.unzip();
    let pairs = left.iter().zip(&right);
    let pairs = pairs.filter_map(|(left, right)| Some((Line::of(left)?, Line::of(right)?)));
    let aligned = pairs.map(|(left, right)| (left.y - right.y).abs() < SAME * left.size);
    let aligned: Vec<bool> = aligned.collect();
    share(&aligned) >= ALIGNED && !is_prose(&left) && !is_prose(&right)
}

/// The text of a row on one side.
struct Line {
    right: f64,
    y: f64,
    size: f64,
    /// The width of its first word.
    first: f64,
}

impl Line {
    fn of(fragments: &[&Fragment]) -> Option<Self> {
        let them = fragments.iter();
        let first = them.clone().min_by(|a, b| a.left.total_cmp(&b.left))?;
        let largest = them.clone().max_by(|a, b| a.size.total_cmp(&b.size))?;
        let right = them.fold(f64::NEG_INFINITY, |right, it| right.max(it.right));
        Some(Self {
            right,
            y: largest.y,
            size: largest.size,
            first: first.right - first.left,
        })
    }
}

fn is_prose(side: &[Vec<&Fragment>]) -> bool {
    let lines: Vec<Line> = side.iter().filter_map(|line| Line::of(line)).collect();
    let edge = lines.iter().map(|line| line.right);
    let edge = edge.fold(f64::NEG_INFINITY, f64::max);
    let full = lines.windows(2).map(|pair| {
        let needed = SPACE * pair[0].size + pair[1].first;
        pair[0].right + needed > edge
    });
    share(&full.collect::<Vec<_>>()) >= FULL_LINES
}

fn share(them: &[bool]) -> f64 {
    let count = them.iter().filter(|it| **it).count();
    count as f64 / them.len().max(1) as f64
}
