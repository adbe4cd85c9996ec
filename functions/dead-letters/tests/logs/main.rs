//! The lines of the log as Lambda takes them under `LogFormat: JSON`, through the metric filter of
//! the template, and the queries of the runbook on them. The lines are those of a real function.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod stand_in;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use stand_in::{REFUSED, printed};

/// From the least to the most detailed, by Lambda's names.
const LEVELS: [&str; 6] = ["FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
const SESSION: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// Set in a child of a test.
const PANICS: &str = "PANICS";

/// A line that Lambda keeps.
#[derive(Debug)]
struct Kept {
    level: String,
    line: Value,
}

fn template() -> String {
    read("infra/template.yaml")
}

fn read(path: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    std::fs::read_to_string(format!("{root}/{path}")).unwrap()
}

/// The value of a line `key: value` of the template.
fn of_template(key: &str) -> String {
    let text = template();
    let mut lines = text.lines().map(str::trim);
    let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    value.unwrap().trim_matches('\'').to_owned()
}

/// Lambda's level of a line: its own with a valid RFC 3339 `timestamp`, else INFO ("Log-level
/// filtering", AWS Lambda developer guide).
fn level(line: &Value) -> &str {
    let valid = |time: &str| time.contains('T') && time.parse::<jiff::Timestamp>().is_ok();
    let told = line["level"].as_str();
    let told = told.and_then(|told| {
        LEVELS
            .into_iter()
            .find(|level| told.eq_ignore_ascii_case(level))
    });
    match line["timestamp"].as_str().is_some_and(valid) {
        true => told.unwrap_or("INFO"),
        false => "INFO",
    }
}

/// What Lambda sends on to CloudWatch at an application level. A line that is no JSON is INFO.
fn kept(printed: &str, application_level: &str) -> Vec<Kept> {
    let place = |level: &str| LEVELS.iter().position(|known| *known == level).unwrap();
    let lines = printed.lines().map(|line| {
        let line = serde_json::from_str(line).unwrap_or_else(|_| json!({"message": line}));
        let level = level(&line).to_owned();
        Kept { level, line }
    });
    lines
        .filter(|kept| place(&kept.level) <= place(application_level))
        .collect()
}

/// Whether a filter pattern of the form `{ $.field = "value" }` counts a line. Lambda's level
/// counts, not that of the line.
fn is_counted(pattern: &str, kept: &Kept) -> bool {
    let test = pattern.trim_start_matches("{ $.").trim_end_matches(" }");
    let (field, value) = test.split_once(" = ").unwrap();
    let value = value.trim_matches('"');
    match field {
        "level" => kept.level == value,
        field => kept.line[field] == value,
    }
}

fn delivery(body: &Value) -> String {
    json!({"Records": [{"messageId": "1", "body": body.to_string()}]}).to_string()
}

/// One letter of each kind, and what the runtime cannot read.
fn events() -> Vec<String> {
    vec![
        delivery(&json!({"session_id": SESSION, "run_id": SESSION, "epoch": 1})),
        delivery(&json!({"session_id": REFUSED, "run_id": SESSION, "epoch": 1})),
        delivery(&json!({"session_id": SESSION, "purge": true})),
        delivery(&json!("nonsense")),
        "no JSON".to_owned(),
    ]
}

/// What Lambda keeps of a function with this filter, by the template's level.
fn run(filter: &str) -> Vec<Kept> {
    let level = of_template("ApplicationLogLevel");
    // Lambda tells the function its level.
    let environment = [("RUST_LOG", filter), ("AWS_LAMBDA_LOG_LEVEL", &level)];
    kept(&printed(&events(), &environment), &level)
}

fn message(kept: &Kept) -> &str {
    kept.line["fields"]["message"].as_str().unwrap_or_default()
}

fn target(kept: &Kept) -> &str {
    kept.line["target"].as_str().unwrap_or_default()
}

#[test]
fn the_metric_filter_counts_each_error_and_nothing_else() {
    let pattern = of_template("FilterPattern");
    let lines = run("info");
    let counted: Vec<&str> = lines
        .iter()
        .filter(|kept| is_counted(&pattern, kept))
        .map(message)
        .collect();
    for message in [
        "failed",
        "dead letter",
        "dead letter: purge",
        "dead letter of no known shape",
    ] {
        assert!(counted.contains(&message), "{message}: {counted:?}");
    }
    // The runtime's own.
    let unread = |line: &&str| line.starts_with("Request payload deserialization");
    assert!(counted.iter().any(unread), "{counted:?}");
    let errors = lines.iter().filter(|kept| kept.line["level"] == "ERROR");
    assert_eq!(errors.count(), counted.len());
}

#[test]
fn the_filter_of_the_function_alone_decides() {
    let of_dependencies = |kept: &&Kept| kept.level == "DEBUG" && !target(kept).starts_with("dead");
    assert!(run("debug").iter().any(|kept| of_dependencies(&kept)));
    for quiet in ["info", ""] {
        let lines = run(quiet);
        let below = lines
            .iter()
            .find(|kept| ["DEBUG", "TRACE"].contains(&kept.level.as_str()));
        assert!(below.is_none(), "{below:?}");
    }
    // A filter that is none is told, and the default holds.
    let lines = run("executor=loud,info");
    let told = lines
        .iter()
        .find(|kept| message(kept).starts_with("RUST_LOG is no filter"));
    assert_eq!(told.unwrap().level, "ERROR");
    assert!(lines.iter().all(|kept| kept.level != "DEBUG"));
}

#[test]
fn every_line_is_json_with_its_time_and_a_metric_is_kept_as_it_is() {
    let lines = run("trace");
    let (metrics, lines): (Vec<_>, Vec<_>) =
        lines.iter().partition(|kept| kept.line["_aws"].is_object());
    // CloudWatch takes metrics from any line of the format, which knows no level.
    assert_eq!(metrics.len(), 4);
    for metric in metrics {
        assert_eq!(
            (&metric.line["DeadLetters"], metric.level.as_str()),
            (&json!(1), "INFO")
        );
    }
    for kept in lines {
        assert_eq!(kept.line["level"], kept.level, "{kept:?}");
        assert!(kept.line["timestamp"].is_string(), "{kept:?}");
    }
}

#[test]
fn a_function_that_cannot_start_says_so_in_an_error() {
    let environment = [("IDLE_TTL_SECONDS", "a day")];
    let lines = kept(&printed(&events(), &environment), "TRACE");
    let (pattern, [line]) = (of_template("FilterPattern"), &lines[..]) else {
        panic!("one line, not {lines:?}");
    };
    assert!(is_counted(&pattern, line), "{line:?}");
    let error = line.line["fields"]["error"].as_str().unwrap();
    assert!(error.contains("IDLE_TTL_SECONDS"), "{error}");
}

#[test]
fn a_panic_is_an_error_without_its_text() {
    if std::env::var_os(PANICS).is_some() {
        lambda_kit::init_logs();
        panic!("a client's text");
    }
    let test = "a_panic_is_an_error_without_its_text";
    let panicking = |filter: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", test, "--nocapture"])
            .env(PANICS, "");
        command
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("RUST_LOG", filter);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let told = panicking("info");
    let lines = kept(&told, "TRACE");
    let line = lines
        .iter()
        .find(|kept| message(kept) == "panicked")
        .unwrap();
    assert!(is_counted(&of_template("FilterPattern"), line));
    assert!(
        line.line["fields"]["place"]
            .as_str()
            .unwrap()
            .contains(file!())
    );
    assert!(!told.contains("a client's text"), "{told}");
    assert!(panicking("debug").contains("a client's text"));
}

/// The record of an invocation that ran out of time, as Lambda writes it ("platform.report" in the
/// schema of the Telemetry API).
fn report() -> Value {
    json!({
        "time": "2026-11-27T12:00:00.000Z",
        "type": "platform.report",
        "record": {
            "requestId": "00000000-0000-0000-0000-000000000001",
            "metrics": {
                "durationMs": 180_000.0, "billedDurationMs": 180_000, "memorySizeMB": 1024,
                "maxMemoryUsedMB": 312, "initDurationMs": 40.5,
            },
            "status": "timeout",
        },
    })
}

/// The paths of all values of a line.
fn paths(line: &Value, before: &str, found: &mut BTreeSet<String>) {
    for (name, value) in line.as_object().into_iter().flatten() {
        let path = match before {
            "" => name.clone(),
            before => format!("{before}.{name}"),
        };
        paths(value, &path, found);
        found.insert(path);
    }
}

/// The fields that a query of Logs Insights names, without CloudWatch's own (`@timestamp`), its
/// words, and what is in quotation marks.
fn fields_of(query: &str) -> BTreeSet<String> {
    let outside = query.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.@".contains(c);
    let words = outside
        .split(|c: char| !is_part(c))
        .filter(|word| !word.is_empty());
    const OWN: [&str; 10] = [
        "fields", "filter", "sort", "desc", "like", "and", "or", "as", "coalesce", "limit",
    ];
    let is_field = |word: &&str| !word.starts_with('@') && !OWN.contains(word);
    words.filter(is_field).map(str::to_owned).collect()
}

#[test]
fn the_queries_of_the_runbook_name_fields_that_lines_have() {
    let mut known = BTreeSet::new();
    for kept in run("info") {
        paths(&kept.line, "", &mut known);
    }
    paths(&report(), "", &mut known);
    let runbook = read("infra/OPERATIONS.md");
    let queries: Vec<&str> = runbook
        .lines()
        .filter(|line| line.starts_with("fields "))
        .collect();
    assert!(queries.len() >= 4, "{queries:?}");
    for query in queries {
        // What follows two spaces and a # is a remark.
        let query = query.split("  #").next().unwrap();
        let unknown: Vec<_> = fields_of(query).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{query}: {unknown:?} of {known:?}");
    }
}
