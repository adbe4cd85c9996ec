//! The modes that work on documents, on real files: what is read, what fails and says so, and what a killed worker repeats.

mod arxiv;
mod enhance;
mod ocr;

use serde_json::Value;

/// The lines of progress in a record.
fn lines(events: &[Value]) -> Vec<&str> {
    let told = events
        .iter()
        .filter(|event| event["event_type"] == "output");
    told.map(|event| event["data"]["message"].as_str().unwrap())
        .collect()
}
