//! Splits a page into columns. Where a gutter crosses several rows, the text left of it comes
//! before the text right of it, and behind it where text is read from right to left.
//!
//! The gutter is the position at which most rows have a gap. Rows that cross it, a title or a wide
//! caption, divide the page into bands that are read separately. The text of columns must look like
//! prose, because rows of a table are read across.

use std::ops::RangeInclusive;

use super::direction::mostly_right_to_left;
use super::fragments::Fragment;
use super::rows::{BESIDE, ON_A_LINE, Row, TextLine, rows};
use super::tables::is_table;

/// Minimum width of a gutter, in font sizes.
const GUTTER: f64 = 0.8;
/// Minimum number of rows with text on both sides of a gutter.
const ROWS: usize = 3;
/// Minimum median width of the text on each side, in font sizes: about ten letters.
const WIDE: f64 = 5.0;
/// Minimum median share of its column that a row fills. It is smaller in a table.
const FULL: f64 = 0.55;
/// Minimum size of a heading relative to the text, if it does not cross the gutter.
const HEADING: f64 = 1.15;
/// The vertical space beside a heading, in font sizes: more than between two paragraphs, less than
/// a figure.
const ROOM: RangeInclusive<f64> = 2.5..=8.0;
/// The maximum nesting of columns, above that of real pages.
const DEPTH: usize = 8;

/// The lines of a page in reading order.
pub(super) fn lines(fragments: Vec<Fragment>) -> Vec<TextLine> {
    let mut lines = Vec::new();
    let right_first = mostly_right_to_left(fragments.iter().map(|it| it.text.as_str()));
    read(fragments, right_first, DEPTH, &mut lines);
    lines
}

fn read(fragments: Vec<Fragment>, right_first: bool, depth: usize, lines: &mut Vec<TextLine>) {
    // The rows of two columns need not share their baselines.
    let gutter = match depth {
        0 => None,
        _ => gutter(&rows(fragments.clone(), BESIDE)),
    };
    let rows = rows(fragments, ON_A_LINE);
    let Some(gutter) = gutter else {
        lines.extend(rows.into_iter().map(Row::line));
        return;
    };
    for band in bands(rows, gutter) {
        let fragments = band.rows.into_iter().flat_map(|row| row.fragments);
        if band.crosses {
            read(fragments.collect(), right_first, depth - 1, lines);
        } else {
            let (left, right) = fragments.partition(|it: &Fragment| it.left < gutter);
            let columns = match right_first {
                true => [right, left],
                false => [left, right],
            };
            for column in columns {
                read(column, right_first, depth - 1, lines);
            }
        }
    }
}

/// Consecutive rows that all cross the gutter, or all do not.
struct Band {
    crosses: bool,
    rows: Vec<Row>,
}

fn bands(rows: Vec<Row>, gutter: f64) -> Vec<Band> {
    let size = median(rows.iter().map(|row| row.place().size)).unwrap_or_default();
    let crossing: Vec<bool> = (0..rows.len())
        .map(|index| {
            let row = &rows[index];
            is_covered(row, gutter) || joined(row, gutter) || is_heading(&rows, index, gutter, size)
        })
        .collect();
    let mut bands: Vec<Band> = Vec::new();
    for (row, crosses) in rows.into_iter().zip(crossing) {
        match bands.last_mut() {
            Some(band) if band.crosses == crosses => band.rows.push(row),
            _ => bands.push(Band {
                crosses,
                rows: vec![row],
            }),
        }
    }
    bands
}

fn is_covered(row: &Row, gutter: f64) -> bool {
    let mut fragments = row.fragments.iter();
    fragments.any(|it| it.left < gutter && gutter < it.right)
}

/// Whether a row left of the gutter belongs to both columns: its font is larger, and the right
/// column leaves space beside it.
fn is_heading(rows: &[Row], index: usize, gutter: f64, size: f64) -> bool {
    let row = &rows[index];
    let right = |row: &Row| row.fragments.iter().any(|it| it.left >= gutter);
    if right(row) || row.place().size < HEADING * size {
        return false;
    }
    let above = rows[..index].iter().rev().find(|row| right(row));
    let below = rows[index + 1..].iter().find(|row| right(row));
    match (above, below) {
        (Some(above), Some(below)) => {
            ROOM.contains(&((below.place().top() - above.place().bottom()) / size))
        }
        _ => false,
    }
}

/// Whether the gap at the gutter is as narrow as a space between words.
fn joined(row: &Row, gutter: f64) -> bool {
    let left = row.fragments.iter().filter(|it| it.left < gutter);
    let right = row.fragments.iter().filter(|it| it.left >= gutter);
    let left = left.map(|it| it.right).max_by(f64::total_cmp);
    let right = right.map(|it| it.left).min_by(f64::total_cmp);
    matches!((left, right), (Some(left), Some(right)) if right - left < GUTTER * row.place().size)
}

/// A gap in a row between two texts.
#[derive(Debug, Clone, Copy)]
struct Gap {
    left: f64,
    right: f64,
    /// The extent of the text on each side, up to the next gap.
    before: f64,
    after: f64,
}

/// The position at which most rows have a gap, if the text on both sides looks like columns.
fn gutter(rows: &[Row]) -> Option<f64> {
    let size = median(rows.iter().map(|row| row.place().size))?;
    let gaps: Vec<Gap> = rows
        .iter()
        .flat_map(|row| gaps(row, GUTTER * size))
        .collect();
    let gutter = most_common(&gaps)?;
    let around = gaps
        .iter()
        .filter(|gap| gap.left < gutter && gutter < gap.right);
    let around: Vec<Gap> = around.copied().collect();
    let wide = |width: fn(&Gap) -> f64| {
        let widest = around.iter().map(width).fold(0.0, f64::max);
        let usual = median(around.iter().map(width)).unwrap_or_default();
        usual >= WIDE * size && usual >= FULL * widest
    };
    let columns = around.len() >= ROWS && wide(|gap| gap.before) && wide(|gap| gap.after);
    (columns && !is_table(rows, gutter)).then_some(gutter)
}

fn gaps(row: &Row, least: f64) -> Vec<Gap> {
    let mut texts: Vec<(f64, f64)> = Vec::new();
    let mut fragments: Vec<&Fragment> = row.fragments.iter().collect();
    fragments.sort_by(|a, b| a.left.total_cmp(&b.left));
    for fragment in fragments {
        match texts.last_mut() {
            Some((_, end)) if fragment.left - *end < least => *end = end.max(fragment.right),
            _ => texts.push((fragment.left, fragment.right)),
        }
    }
    let pairs = texts.windows(2);
    let gaps = pairs.map(|pair| Gap {
        left: pair[0].1,
        right: pair[1].0,
        before: pair[0].1 - pair[0].0,
        after: pair[1].1 - pair[1].0,
    });
    gaps.collect()
}

/// The middle of the range in which most gaps overlap. If several ranges tie, the widest wins.
fn most_common(gaps: &[Gap]) -> Option<f64> {
    let mut edges: Vec<(f64, i32)> = Vec::with_capacity(2 * gaps.len());
    edges.extend(gaps.iter().map(|gap| (gap.left, 1)));
    edges.extend(gaps.iter().map(|gap| (gap.right, -1)));
    // Ends sort before beginnings, so that adjacent gaps do not overlap.
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut open = 0;
    let mut best: Option<(i32, f64, f64)> = None;
    for pair in edges.windows(2) {
        open += pair[0].1;
        let width = pair[1].0 - pair[0].0;
        if width > 0.0 && best.is_none_or(|(most, widest, _)| (open, width) > (most, widest)) {
            best = Some((open, width, pair[0].0 + width / 2.0));
        }
    }
    best.filter(|(most, ..)| *most > 0)
        .map(|(.., middle)| middle)
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    let middle = values.len() / 2;
    let (_, median, _) = match values.len() {
        0 => return None,
        _ => values.select_nth_unstable_by(middle, f64::total_cmp),
    };
    Some(*median)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a line. Each letter and each space is half of the font size 10 wide.
    fn words(left: f64, y: f64, text: &str) -> Vec<Fragment> {
        let mut x = left;
        let fragments = text.split(' ').map(|word| {
            let begin = x;
            x += 5.0 * (word.len() + 1) as f64;
            Fragment {
                left: begin,
                right: x - 5.0,
                y,
                size: 10.0,
                text: word.to_owned(),
                spaced: begin > left,
            }
        });
        fragments.collect()
    }

    fn column(left: f64, y: f64, name: &str, count: usize) -> Vec<Fragment> {
        let lines = (0..count).flat_map(|line| {
            words(
                left,
                y + 12.0 * line as f64,
                &format!("{name} column line {line}"),
            )
        });
        lines.collect()
    }

    fn read(fragments: Vec<Vec<Fragment>>) -> Vec<String> {
        let lines = lines(fragments.concat());
        lines.into_iter().map(|line| line.text).collect()
    }

    fn named(name: &str, count: usize) -> Vec<String> {
        (0..count)
            .map(|line| format!("{name} column line {line}"))
            .collect()
    }

    #[test]
    fn one_column_is_read_across() {
        assert_eq!(
            read(vec![column(0.0, 0.0, "the only", 5)]),
            named("the only", 5)
        );
    }

    #[test]
    fn the_left_column_comes_before_the_right_one() {
        let page = vec![column(140.0, 0.0, "right", 6), column(0.0, 0.0, "left", 6)];
        assert_eq!(read(page), [named("left", 6), named("right", 6)].concat());
    }

    #[test]
    fn columns_need_not_share_their_baselines() {
        let page = vec![column(0.0, 0.0, "left", 6), column(140.0, 5.0, "right", 4)];
        assert_eq!(read(page), [named("left", 6), named("right", 4)].concat());
    }

    #[test]
    fn three_columns_are_read_one_after_another() {
        let page = ["one", "two", "three"].iter().zip([0.0, 140.0, 280.0]);
        let page = page
            .map(|(name, left)| column(left, 0.0, name, 5))
            .collect();
        assert_eq!(
            read(page),
            [named("one", 5), named("two", 5), named("three", 5)].concat()
        );
    }

    #[test]
    fn a_heading_across_the_columns_divides_the_page() {
        let page = vec![
            column(0.0, 0.0, "upper left", 3),
            column(160.0, 0.0, "upper right", 3),
            words(60.0, 50.0, "a heading across both columns"),
            column(0.0, 70.0, "lower left", 3),
            column(160.0, 70.0, "lower right", 3),
        ];
        let heading = vec!["a heading across both columns".to_owned()];
        let expected = [
            named("upper left", 3),
            named("upper right", 3),
            heading,
            named("lower left", 3),
            named("lower right", 3),
        ];
        assert_eq!(read(page), expected.concat());
    }

    #[test]
    fn a_short_heading_with_space_in_both_columns_belongs_to_both() {
        let mut heading = words(0.0, 60.0, "a heading");
        heading.iter_mut().for_each(|word| word.size = 14.0);
        let page = |lower_right| {
            vec![
                column(0.0, 0.0, "upper left", 4),
                column(160.0, 0.0, "upper right", 4),
                heading.clone(),
                column(0.0, 80.0, "lower left", 4),
                column(160.0, lower_right, "lower right", 4),
            ]
        };
        let heading = vec!["a heading".to_owned()];
        let both = [
            named("upper left", 4),
            named("upper right", 4),
            heading.clone(),
            named("lower left", 4),
            named("lower right", 4),
        ];
        assert_eq!(read(page(80.0)), both.concat());
        let of_the_left_one = [
            named("upper left", 4),
            heading,
            named("lower left", 4),
            named("upper right", 4),
            named("lower right", 4),
        ];
        assert_eq!(read(page(48.0)), of_the_left_one.concat());
    }

    #[test]
    fn a_reference_card_is_read_across_although_its_cells_are_long() {
        let cells = [
            (
                "git commit --amend",
                "replaces the last commit of the branch",
            ),
            ("git switch --create name", "begins a branch here"),
            (
                "git restore --staged file",
                "takes a file out of the next commit",
            ),
            ("git log --follow file", "shows all commits of a file"),
            ("git stash push", "puts changes aside for now"),
            ("git rebase --interactive", "edits the commits that follow"),
        ];
        let card = |lower: f64| {
            let rows = cells.iter().enumerate().map(|(row, (left, right))| {
                let y = 12.0 * row as f64;
                [words(0.0, y, left), words(160.0, y + lower, right)].concat()
            });
            rows.collect::<Vec<_>>()
        };
        let across = cells.map(|(left, right)| format!("{left} {right}"));
        assert_eq!(read(card(0.0)), across);
        // Without common baselines they are two lists.
        let (left, right): (Vec<&str>, Vec<&str>) = cells.into_iter().unzip();
        assert_eq!(read(card(4.0)), [left, right].concat());
    }

    #[test]
    fn ragged_prose_in_columns_with_common_baselines_is_read_column_by_column() {
        let prose = |left: f64, text: &str| {
            let mut lines: Vec<String> = vec![];
            for word in text.split(' ') {
                match lines.last_mut() {
                    Some(line) if line.len() + word.len() < 26 => *line += &format!(" {word}"),
                    _ => lines.push(word.to_owned()),
                }
            }
            let placed = lines.iter().zip(0_u32..);
            let placed = placed.flat_map(|(line, row)| words(left, 12.0 * f64::from(row), line));
            (placed.collect::<Vec<_>>(), lines)
        };
        let (left, first) = prose(
            0.0,
            "Sailors knew long before there were tables that the water rises twice a day and \
             that the moon has a part in it which nobody could explain",
        );
        let (right, second) = prose(
            160.0,
            "The sun does the same with less force and where both pull along one line the tides \
             are strongest as every harbour master will confirm",
        );
        assert_eq!(read(vec![right, left]), [first, second].concat());
    }

    #[test]
    fn a_table_is_read_across() {
        let cells = [
            ["Moon", "tides", "27"],
            ["Sun and other stars", "too", "365"],
            ["Mars", "no", "687"],
        ];
        let rows = cells.iter().enumerate().flat_map(|(row, cells)| {
            let places = cells.iter().zip([0.0, 140.0, 220.0]);
            places.map(move |(cell, left)| words(left, 12.0 * row as f64, cell))
        });
        let expected = [
            "Moon tides 27",
            "Sun and other stars too 365",
            "Mars no 687",
        ];
        assert_eq!(read(rows.collect()), expected);
    }
}
