//! The text form of a path. One line has the actor, the action and the resulting state; each event
//! has a line with its fields. Lists of objects appear as their length. Ids are omitted.

use serde_json::{Map, Value};
use session::{Envelope, State};

/// The state of a session in one line.
pub fn standing(state: &State) -> String {
    let run = state.run.as_ref().unwrap();
    let step = state
        .current_step
        .map_or_else(String::new, |step| format!(" {step}"));
    let reason = state
        .suspend_reason
        .map_or_else(String::new, |reason| format!(" ({reason})"));
    format!(
        "{}{reason}, run {}, {}{step}",
        state.status, run.status, state.phase
    )
}

/// An event in one line.
pub fn event(envelope: &Envelope) -> String {
    let Value::Object(event) = serde_json::to_value(&envelope.body).unwrap() else {
        panic!("an event is an object");
    };
    let kind = event["event_type"].as_str().unwrap();
    let said = event["data"].as_object().map(fields).unwrap_or_default();
    let seq = envelope.seq.unwrap();
    format!("{seq:>4}  {kind:<24}{said}").trim_end().to_owned()
}

/// These fields come first, in this order. The others follow by name, in any map's order.
const FIRST: [&str; 5] = ["agent", "node_id", "step_number", "phase", "old_status"];
const UNTOLD: [&str; 5] = ["run_id", "session_id", "edges", "levels", "role"];

fn fields(data: &Map<String, Value>) -> String {
    let rank = |name: &str| {
        FIRST
            .iter()
            .position(|first| *first == name)
            .unwrap_or(FIRST.len())
    };
    let mut shown: Vec<(&String, &Value)> = data
        .iter()
        .filter(|(name, value)| !UNTOLD.contains(&name.as_str()) && !value.is_null())
        .collect();
    shown.sort_by_key(|(name, _)| (rank(name), *name));
    let fields: Vec<String> = shown
        .into_iter()
        .map(|(name, value)| format!("{name}: {}", short(name, value)))
        .collect();
    fields.join(", ")
}

fn short(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('\n', " / "),
        Value::Array(nodes) if name == "nodes" => {
            let node =
                |node: &Value| format!("{} {}", short("", &node["id"]), short("", &node["status"]));
            nodes.iter().map(node).collect::<Vec<_>>().join(" → ")
        }
        Value::Array(words) if words.iter().all(Value::is_string) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            format!("[{}]", words.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.len()),
        Value::Object(map) => format!("{{{}}}", fields(map)),
        other => other.to_string(),
    }
}
