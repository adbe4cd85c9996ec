//! Plain text output: aligned tables with a title, and remarks below them.

use std::time::Duration;

/// A table. Each column is as wide as its widest cell.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With a title above the labels of the rows, and further columns.
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let mut head = vec![title.to_owned()];
        head.extend(columns.iter().map(ToString::to_string));
        Self { rows: vec![head] }
    }

    pub fn row(&mut self, label: &str, cells: impl IntoIterator<Item = String>) {
        let mut row = vec![label.to_owned()];
        row.extend(cells);
        self.rows.push(row);
    }

    pub fn print(&self) {
        println!();
        let widths: Vec<usize> = (0..self.rows[0].len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or_default()
            })
            .collect();
        for (number, row) in self.rows.iter().enumerate() {
            let mut cells = row.iter().zip(&widths);
            let label = cells
                .next()
                .map(|(label, width)| format!("{label:<width$}"));
            let rest: String = cells
                .map(|(cell, width)| format!("   {cell:>width$}"))
                .collect();
            println!("{}{rest}", label.unwrap_or_default());
            if number == 0 {
                println!(
                    "{}",
                    "─".repeat(widths.iter().sum::<usize>() + 3 * (widths.len() - 1))
                );
            }
        }
    }
}

pub fn remark(text: &str) {
    println!("  {text}");
}

/// The limit, and whether it was met.
pub fn bar(is_reached: bool, bar: &str) -> String {
    let verdict = if is_reached { "PASS" } else { "OVER" };
    format!("{bar} {verdict}")
}

/// Whether a value is at most a limit, as a cell.
pub fn at_most(value: f64, limit: f64) -> String {
    bar(value <= limit, &format!("≤ {limit}"))
}

pub fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// The median; zero for an empty list.
pub fn median(times: Vec<Duration>) -> Duration {
    quantile(times, 0.5)
}

/// The time below which this share of all times lies; zero for an empty list.
pub fn quantile(mut times: Vec<Duration>, share: f64) -> Duration {
    times.sort_unstable();
    let place = (times.len() as f64 * share) as usize;
    let last = times.len().saturating_sub(1);
    times.get(place.min(last)).copied().unwrap_or_default()
}
