//! The table of infra/OPERATIONS.md that says what a session costs adds up. Runs without the stack.

use crate::template::read;

/// Sessions at once: alone, 10, 100.
const COLUMNS: usize = 3;

/// A gigabyte-second and an invocation of Lambda on arm64, in US dollars.
const GB_SECOND: f64 = 0.000_013_333_4;
const INVOCATION: f64 = 0.2e-6;

struct Row {
    part: String,
    units: String,
    price: String,
    usd: [f64; COLUMNS],
}

fn rows() -> Vec<Row> {
    let text = read("infra/OPERATIONS.md");
    let (_, section) = text.split_once("\n## What it costs\n").unwrap();
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    let lines = lines.take_while(|line| line.starts_with('|')).skip(2);
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [part, units, price, usd @ ..] = &cells[..] else {
        panic!("{line}");
    };
    let number = |cell: &&str| cell.trim_matches('*').parse().unwrap();
    let usd: Vec<f64> = usd.iter().map(number).collect();
    Row {
        part: (*part).to_owned(),
        units: (*units).to_owned(),
        price: (*price).to_owned(),
        usd: usd.try_into().unwrap(),
    }
}

/// The first numbers of a text, as many as there are columns; one number is that of all columns.
fn numbers(text: &str) -> [f64; COLUMNS] {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    let mut found: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
    if !text.contains(" and ") {
        found.truncate(1);
        found = vec![found[0]; COLUMNS];
    }
    found.truncate(COLUMNS);
    found.try_into().unwrap()
}

#[test]
fn the_parts_of_a_session_are_its_units_at_their_price() {
    let mut checked = 0;
    for row in rows() {
        let computed = if let Some((_, rest)) = row.part.split_once("Executor of ") {
            let megabytes = numbers(rest)[0];
            let (seconds, invocations) = row.units.split_once("; ").unwrap();
            let (seconds, invocations) = (numbers(seconds), numbers(invocations));
            let usd = |at: usize| {
                seconds[at] * megabytes / 1024.0 * GB_SECOND + invocations[at] * INVOCATION
            };
            [usd(0), usd(1), usd(2)]
        } else if row.price.ends_with(" a million") {
            numbers(&row.units).map(|units| units * numbers(&row.price)[0] / 1e6)
        } else {
            continue;
        };
        for (computed, written) in computed.into_iter().zip(row.usd) {
            let (part, difference) = (&row.part, (computed - written).abs());
            assert!(difference < 1e-6, "{part}: {computed} and {written}");
        }
        checked += 1;
    }
    assert!(checked >= 4, "{checked} rows");
}

#[test]
fn a_session_costs_the_sum_of_its_parts_and_no_more_than_promised() {
    let rows = rows();
    let end = rows.iter().position(|row| row.part == "**The session**");
    let (parts, total) = (&rows[..end.unwrap()], &rows[end.unwrap()]);
    for column in 0..COLUMNS {
        let sum: f64 = parts.iter().map(|part| part.usd[column]).sum();
        let written = total.usd[column];
        assert!((sum - written).abs() < 5e-6, "{sum} and {written}");
    }
    assert!(total.usd[0] <= 0.0005 && total.usd[COLUMNS - 1] <= 0.0003);
}
