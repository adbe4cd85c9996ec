//! Validates what the tests receive against the committed API documents: each frame of the server
//! and each reply to a request. A field that the schema lacks is an error of the document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::stack::root;

static FRAMES: LazyLock<BTreeMap<String, Form>> = LazyLock::new(frames);
static REPLIES: LazyLock<Vec<Route>> = LazyLock::new(replies);

/// The schema of a message, and the allowed fields of its `data`.
struct Form {
    validator: Validator,
    fields: BTreeSet<String>,
}

/// Validates a frame of the server against `infra/asyncapi.json`.
pub fn hold_frame(frame: &Value) {
    let name = match frame["event_type"].as_str() {
        None => "gateway.error".to_owned(),
        // Some kinds are both events of the record and replies.
        Some(kind) if frame["seq"].is_null() => format!("reply.{kind}"),
        Some(kind) => kind.to_owned(),
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
    for field in frame["data"].as_object().into_iter().flat_map(Map::keys) {
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

/// A route and the schemas of its replies, by status.
struct Route {
    method: String,
    path: Vec<String>,
    replies: BTreeMap<u16, Validator>,
}

impl Route {
    /// How specifically this route matches the path: the number of equal segments; None if it does
    /// not match.
    fn names(&self, method: &Method, path: &[&str]) -> Option<usize> {
        let parts = || self.path.iter().zip(path);
        let same = self.method == method.as_str() && self.path.len() == path.len();
        let fits = same && parts().all(|(own, given)| own.starts_with('{') || own == given);
        fits.then(|| parts().filter(|(own, given)| own == *given).count())
    }
}

/// Validates a reply of the HTTP API against `infra/openapi.json`. The gateway answers for a path
/// without a route.
pub fn hold_reply(method: &Method, path: &str, status: u16, body: &Value) {
    let segments: Vec<&str> = path.split('?').next().unwrap_or(path).split('/').collect();
    let fitting = REPLIES
        .iter()
        .filter_map(|route| Some((route.names(method, &segments)?, route)));
    let Some((_, route)) = fitting.max_by_key(|(words, _)| *words) else {
        return;
    };
    let form = route.replies.get(&status);
    let form =
        form.unwrap_or_else(|| panic!("openapi.json has no {status} of {method} {path}: {body}"));
    let faults: Vec<String> = form
        .iter_errors(body)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{method} {path}: {faults:?} in {body}");
}

fn replies() -> Vec<Route> {
    let text = std::fs::read_to_string(root().join("infra/openapi.json")).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    for schema in document["components"]["schemas"]
        .as_object_mut()
        .unwrap()
        .values_mut()
    {
        if schema["properties"].is_object() {
            schema["unevaluatedProperties"] = json!(false);
        }
    }
    let paths = document["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (path, method, &operation["responses"]))
    });
    let route = |(path, method, responses): (&String, &String, &Value)| Route {
        method: method.to_uppercase(),
        path: path.split('/').map(str::to_owned).collect(),
        replies: by_status(responses, &document),
    };
    methods
        .filter(|(.., responses)| responses.is_object())
        .map(route)
        .collect()
}

fn by_status(responses: &Value, document: &Value) -> BTreeMap<u16, Validator> {
    let form = |(status, response): (&String, &Value)| {
        let reference = response["$ref"].as_str();
        let response = reference.map_or(response, |reference| {
            document.pointer(reference.trim_start_matches('#')).unwrap()
        });
        // A redirect and a file are no JSON.
        let own = response["content"].get("application/json")?;
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [own["schema"]], "components": document["components"],
        });
        let options = jsonschema::options().should_validate_formats(true);
        Some((status.parse().unwrap(), options.build(&schema).unwrap()))
    };
    let responses = responses.as_object().unwrap().iter();
    responses.filter_map(form).collect()
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
    fn a_documented_frame_is_valid() {
        hold_frame(&pong(&json!({"last_seq": 7})));
    }

    #[test]
    #[should_panic(expected = "pong")]
    fn an_undocumented_type_of_a_frame_is_reported() {
        hold_frame(&pong(&json!({"last_seq": "7"})));
    }

    #[test]
    #[should_panic(expected = "no more in reply.pong")]
    fn an_undocumented_field_of_a_frame_is_reported() {
        hold_frame(&pong(&json!({"last_seq": 7, "more": true})));
    }

    fn health(status: u16, body: &Value) {
        hold_reply(&Method::GET, "/api/health", status, body);
    }

    #[test]
    fn a_documented_reply_and_a_documented_error_are_valid() {
        health(200, &json!({"status": "ok"}));
        let problem = json!({"code": "session_not_found", "detail": "", "request_id": "r"});
        let path = "/api/sessions/01890a5d-ac96-774b-bcce-b302099a8057?limit=3";
        hold_reply(&Method::DELETE, path, 404, &problem);
    }

    #[test]
    #[should_panic(expected = "openapi.json has no 202 of GET /api/health")]
    fn an_undocumented_status_is_reported() {
        health(202, &json!({"status": "ok"}));
    }

    #[test]
    #[should_panic(expected = "uptime")]
    fn an_undocumented_field_of_a_reply_is_reported() {
        health(200, &json!({"status": "ok", "uptime": 7}));
    }

    #[test]
    #[should_panic(expected = "agent")]
    fn a_missing_field_inside_a_reply_is_reported() {
        let path = "/api/sessions/01890a5d-ac96-774b-bcce-b302099a8057/runs";
        let runs = json!({"session_id": "01890a5d-ac96-774b-bcce-b302099a8057", "total_runs": 1, "next_cursor": null,
                          "runs": [{"id": "01890a5d-ac96-774b-bcce-b302099a8057"}]});
        hold_reply(&Method::GET, path, 200, &runs);
    }
}
