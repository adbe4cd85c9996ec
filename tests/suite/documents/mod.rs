//! The modes that process documents, with real files: what is read, which failures are reported,
//! and what a killed worker repeats.

mod arxiv;
mod enhance;
mod ocr;

use serde_json::Value;

/// The progress lines of a record.
fn lines(events: &[Value]) -> Vec<&str> {
    let told = events
        .iter()
        .filter(|event| event["event_type"] == "output");
    told.map(|event| event["data"]["message"].as_str().unwrap())
        .collect()
}
