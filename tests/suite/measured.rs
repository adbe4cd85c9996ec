//! The metrics of the functions: whether CloudWatch accepts each line, and their sums.
//!
//! The rules and limits are those of "Specification: Embedded metric format" in CloudWatch's user
//! guide.

use std::collections::BTreeMap;

use lambda_kit::metrics::METRICS;
use serde_json::Value;
use tests::stack::stack;

/// The units of a PutMetricData request, to which the specification refers.
const UNITS: [&str; 16] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Count",
    "Percent",
    "None",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
];

/// A metric's name and the values of its dimensions → the measured values.
pub type Values = BTreeMap<Vec<String>, Vec<f64>>;

/// The stack's namespace: its name.
pub fn namespace() -> &'static str {
    stack().get("FUNCTION_PREFIX").trim_end_matches('-')
}

/// All measured values, and every line that violates the format or the code's own table.
pub fn values(log: &str, namespace: &str) -> (Values, Vec<String>) {
    let (mut found, mut wrong) = (Values::new(), Vec::new());
    for line in log.lines().filter(|line| line.contains("\"_aws\"")) {
        // CloudWatch requires lines that consist of JSON only.
        let Ok(document) = serde_json::from_str::<Value>(line) else {
            // A killed worker leaves an incomplete line.
            if line.ends_with('}') || !line.starts_with("{\"_aws\"") {
                wrong.push(format!("no JSON: {line}"));
            }
            continue;
        };
        let faults = faults(&document);
        if !faults.is_empty() {
            wrong.push(format!("{}: {line}", faults.join(", ")));
            continue;
        }
        for directive in items(&document["_aws"]["CloudWatchMetrics"]) {
            for definition in items(&directive["Metrics"]) {
                if directive["Namespace"] != namespace || !is_known(directive, definition) {
                    wrong.push(format!("no such metric is in the code: {line}"));
                    continue;
                }
                let name = definition["Name"].as_str().unwrap();
                let dimensions = items(&directive["Dimensions"][0]);
                let of = dimensions.map(|dimension| &document[dimension.as_str().unwrap()]);
                let of = of.map(|value| value.as_str().unwrap());
                let key = std::iter::once(name).chain(of).map(str::to_owned);
                let told = numbers(&document[name]).filter_map(Value::as_f64);
                found.entry(key.collect()).or_default().extend(told);
            }
        }
    }
    (found, wrong)
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// One value, or each of several.
fn numbers(value: &Value) -> impl Iterator<Item = &Value> {
    let one = (!value.is_array()).then_some(value);
    one.into_iter().chain(items(value))
}

fn is_known(directive: &Value, definition: &Value) -> bool {
    let dimensions: Vec<Vec<&str>> = items(&directive["Dimensions"])
        .map(|set| items(set).filter_map(Value::as_str).collect())
        .collect();
    METRICS.iter().any(|metric| {
        definition["Name"] == metric.name
            && definition["Unit"] == format!("{:?}", metric.unit)
            && dimensions == [metric.dimensions]
    })
}

/// Violations of the specification in a line.
fn faults(document: &Value) -> Vec<String> {
    let metadata = &document["_aws"];
    let mut faults = Vec::new();
    if !metadata["Timestamp"].is_i64() {
        faults.push("its time is no number of milliseconds".into());
    }
    if items(&metadata["CloudWatchMetrics"]).next().is_none() {
        faults.push("it names no metrics".into());
    }
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    for directive in items(&metadata["CloudWatchMetrics"]) {
        if !(1..=1024).contains(&length(&directive["Namespace"])) {
            faults.push("its namespace is too short or too long".into());
        }
        if items(&directive["Dimensions"]).next().is_none() {
            faults.push("it has no set of dimensions".into());
        }
        for set in items(&directive["Dimensions"]) {
            if items(set).count() > 30 {
                faults.push("a set has more than 30 dimensions".into());
            }
            for name in items(set).filter_map(Value::as_str) {
                if !(1..=1024).contains(&length(&document[name])) || name.len() > 250 {
                    faults.push(format!("the dimension {name} is no text beside its name"));
                }
            }
        }
        for definition in items(&directive["Metrics"]) {
            let name = definition["Name"].as_str().unwrap_or_default();
            let values: Vec<&Value> = numbers(&document[name]).collect();
            let all_numbers = values.iter().all(|value| value.is_number());
            if !(1..=100).contains(&values.len()) || !all_numbers {
                faults.push(format!("the values of {name} are not 1 to 100 numbers"));
            }
            if !UNITS.contains(&definition["Unit"].as_str().unwrap_or_default()) {
                faults.push(format!("{name} has the unit {}", definition["Unit"]));
            }
        }
    }
    faults
}

/// The metrics that follow from a record of a session in this mode.
pub fn add_record(found: &mut Values, mode: &str, events: &[Value]) {
    let mut add = |key: &[&str], value: f64| {
        let key = key.iter().map(ToString::to_string).collect();
        found.entry(key).or_default().push(value);
    };
    for event in events {
        let data = &event["data"];
        match event["event_type"].as_str().unwrap() {
            "step_complete" => add(
                &["StepTime", mode],
                data["execution_time"].as_f64().unwrap(),
            ),
            "cost_update" if data["priced"] == true => {
                add(&["CostUsd", mode], data["cost_usd"].as_f64().unwrap());
            }
            "workflow_completed" => add(&["Runs", mode, "completed"], 1.0),
            "workflow_failed" => add(&["Runs", mode, "failed"], 1.0),
            "workflow_cancelled" => add(&["Runs", mode, "cancelled"], 1.0),
            _ => {}
        }
    }
}

/// The metrics of runs, steps and costs in a comparable form: counts are summed.
pub fn of_records(values: &Values) -> Values {
    let mut kept = values.clone();
    kept.retain(|key, _| ["Runs", "StepTime", "CostUsd"].contains(&key[0].as_str()));
    for (key, values) in &mut kept {
        match key[0].as_str() {
            "Runs" => *values = vec![values.iter().sum()],
            _ => values.sort_by(f64::total_cmp),
        }
    }
    kept
}

#[cfg(test)]
mod tests_of_lines {
    use serde_json::json;

    use super::*;

    fn line(changes: &Value) -> Value {
        let definition = json!({"Name": "Runs", "Unit": "Count"});
        let directive =
            json!({"Namespace": "n", "Dimensions": [["Mode", "End"]], "Metrics": [definition]});
        let mut line = json!({
            "_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]},
            "Mode": "one-shot", "End": "failed", "Runs": 1,
        });
        let fields = line.as_object_mut().unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        line
    }

    #[test]
    fn a_valid_line_is_read() {
        let log = format!("{}\nanother line", line(&json!({"Runs": [1, 2]})));
        let (found, wrong) = values(&log, "n");
        let key = ["Runs", "one-shot", "failed"].map(str::to_owned).to_vec();
        assert_eq!(found, Values::from([(key, vec![1.0, 2.0])]));
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn a_line_that_cloudwatch_would_drop_is_reported() {
        let too_many = json!({"Runs": vec![1; 101]});
        for changes in [json!({"Runs": "1"}), json!({"End": null}), too_many] {
            assert!(!faults(&line(&changes)).is_empty(), "{changes}");
        }
        let whole = line(&json!({})).to_string();
        let log = format!("{}\nINFO {whole}", whole.replace(':', ""));
        let (_, wrong) = values(&log, "n");
        assert_eq!(
            wrong.len(),
            2,
            "no JSON from the first to the last character"
        );
    }

    #[test]
    fn an_incomplete_line_of_a_killed_worker_is_ignored() {
        // A function prints `_aws` first. A map in the tests sorts its keys.
        let whole = format!(
            r#"{{"_aws":{},"Mode":"one-shot","Runs":1}}"#,
            line(&json!({}))["_aws"]
        );
        let (found, wrong) = values(&whole[..whole.len() - 20], "n");
        assert!(found.is_empty() && wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn a_metric_that_is_not_in_the_code_is_reported() {
        let (_, wrong) = values(&line(&json!({})).to_string(), "another namespace");
        assert_eq!(wrong.len(), 1);
    }

    #[test]
    fn metrics_are_compared_with_records_value_by_value() {
        let event = json!({"event_type": "step_complete", "data": {"execution_time": 1.5}});
        let mut recorded = Values::new();
        add_record(&mut recorded, "one-shot", &[event]);
        let key = ["StepTime", "one-shot"].map(str::to_owned).to_vec();
        let sweeps = (vec!["Sweeps".to_owned()], vec![1.0]);
        let told = Values::from([(key.clone(), vec![1.5]), sweeps]);
        assert_eq!(of_records(&told), of_records(&recorded));
        let twice = Values::from([(key, vec![1.5, 1.5])]);
        assert_ne!(of_records(&twice), of_records(&recorded));
    }
}
