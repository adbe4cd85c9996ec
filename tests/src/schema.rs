//! What the tests see is held against the documents of the API, as they are committed: each frame of the server, each reply to a request.
//! A field that its schema does not know is a fault of the document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::stack::root;

static FRAMES: LazyLock<BTreeMap<String, Form>> = LazyLock::new(frames);

/// The schema of a message, and the fields that its `data` may have.
struct Form {
    validator: Validator,
    fields: BTreeSet<String>,
}

/// Holds a frame of the server against `infra/asyncapi.json`.
pub fn hold_frame(frame: &Value) {
    let kind = frame["event_type"].as_str().unwrap();
    // Some kinds are events of the record and replies too.
    let name = if frame["seq"].is_null() {
        format!("reply.{kind}")
    } else {
        kind.to_owned()
    };
    let form = FRAMES
        .get(&name)
        .unwrap_or_else(|| panic!("asyncapi.json has no {name}: {frame}"));
    let faults: Vec<String> = form
        .validator
        .iter_errors(frame)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?} in {frame}");
    for field in frame["data"].as_object().unwrap().keys() {
        assert!(
            form.fields.contains(field),
            "asyncapi.json has no {field} in {name}"
        );
    }
}

fn frames() -> BTreeMap<String, Form> {
    let text = std::fs::read_to_string(root().join("infra/asyncapi.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let components = &document["components"];
    let messages = components["messages"].as_object().unwrap();
    let form = |(name, message): (&String, &Value)| {
        let payload = &message["payload"];
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#", "allOf": [payload], "components": components,
        });
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema);
        let form = Form {
            validator: validator.unwrap(),
            fields: fields(&payload["properties"]["data"], &document),
        };
        (name.clone(), form)
    };
    messages.iter().map(form).collect()
}

/// Every field that an object of this schema may have.
fn fields(schema: &Value, document: &Value) -> BTreeSet<String> {
    let own = schema["properties"].as_object().into_iter().flatten();
    let mut fields: BTreeSet<String> = own.map(|(name, _)| name.clone()).collect();
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap();
        fields.extend(self::fields(target, document));
    }
    for part in ["allOf", "anyOf", "oneOf"] {
        for branch in schema[part].as_array().into_iter().flatten() {
            fields.extend(self::fields(branch, document));
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pong(data: &Value) -> Value {
        json!({
            "event_type": "pong", "timestamp": "2026-09-21T14:13:20.000000Z", "run_id": null, "session_id": null,
            "seq": null, "data": data,
        })
    }

    #[test]
    fn a_frame_as_documented_passes() {
        hold_frame(&pong(&json!({"last_seq": 7})));
    }

    #[test]
    #[should_panic(expected = "pong")]
    fn a_frame_of_another_type_is_told() {
        hold_frame(&pong(&json!({"last_seq": "7"})));
    }

    #[test]
    #[should_panic(expected = "no more in reply.pong")]
    fn a_field_that_nobody_documented_is_told() {
        hold_frame(&pong(&json!({"last_seq": 7, "more": true})));
    }
}
