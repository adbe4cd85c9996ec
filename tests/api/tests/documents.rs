//! The committed documents match the code, and their examples match their schemas.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use std::collections::BTreeSet;

use api::{
    OVER_SOCKET_ALONE, api_page, asyncapi, configuration_page, console_form, documented, openapi,
    operations, root,
};
use lambda_kit::Code;
use serde_json::{Value, json};
use session::MODES;
use workflow::RunSettings;

type Names = BTreeSet<String>;

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The same value with sorted keys. Otherwise the order would depend on a feature of `serde_json`
/// that another crate of the build may enable.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            let fields = fields.into_iter();
            fields
                .map(|(key, value)| (key.clone(), sorted(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Asserts that the committed file has this content; writes it if `UPDATE_API=1` is set.
fn is_current(path: &str, text: &str) {
    if std::env::var_os("UPDATE_API").is_some() {
        std::fs::write(root().join(path), text).unwrap();
    } else {
        assert!(read(path) == text, "{path} is not current: make api");
    }
}

#[test]
fn the_committed_documents_are_current() {
    let (openapi, asyncapi) = (openapi().unwrap(), asyncapi());
    let json = |document: &Value| format!("{:#}\n", sorted(document));
    is_current("infra/openapi.json", &json(&openapi));
    is_current("infra/asyncapi.json", &json(&asyncapi));
    is_current("infra/API.md", &api_page(&openapi, &asyncapi));
    is_current("infra/CONFIGURATION.md", &configuration_page());
    let form = format!("{}\n", sorted(&console_form(&openapi)));
    is_current("functions/console/assets/config.json", &form);
}

/// `METHOD /path Function` for every route of the API in the template.
fn routes_of_the_template() -> Names {
    let text = read("infra/template.yaml");
    let mut routes = Names::new();
    let mut route = None;
    for line in text.lines().map(str::trim) {
        if let Some(key) = line.strip_prefix("RouteKey: ") {
            // The others are the WebSocket's and the console's page.
            route = Some(key).filter(|key| key.contains(" /api/"));
        }
        if let (Some(key), Some((_, target))) = (route, line.split_once("integrations/${")) {
            routes.insert(format!("{key} {}", target.trim_end_matches("Integration}")));
            route = None;
        }
    }
    routes
}

#[test]
fn the_operations_match_the_routes_of_the_template() {
    let logical_id = |function: &str| {
        let words = function.split('-');
        words
            .map(|word| word[..1].to_uppercase() + &word[1..])
            .collect::<String>()
    };
    let told: Names = operations()
        .iter()
        .map(|operation| format!("{} {}", operation.route, logical_id(operation.function)))
        .collect();
    assert_eq!(told, routes_of_the_template());
}

#[test]
fn every_code_is_documented_and_handlers_name_only_known_codes() {
    let mut placed: Names = OVER_SOCKET_ALONE.map(|code| code.word().to_owned()).into();
    for operation in operations() {
        let codes: Names = operation
            .codes()
            .iter()
            .map(|code| code.word().to_owned())
            .collect();
        let named: Names = documented(operation.function)
            .unwrap()
            .codes
            .into_iter()
            .collect();
        assert!(
            named.is_subset(&codes),
            "{}: {named:?} beside {codes:?}",
            operation.function
        );
        placed.extend(codes);
    }
    let all: Names = Code::ALL
        .iter()
        .map(|code| code.word().to_owned())
        .collect();
    assert_eq!(placed, all);
}

#[test]
fn the_schema_of_a_config_has_exactly_the_keys_that_are_read() {
    let read: Names = MODES
        .iter()
        .flat_map(|info| RunSettings::keys(info.id))
        .map(str::to_owned)
        .collect();
    let document = openapi().unwrap();
    let shown = document["components"]["schemas"]["Config"]["properties"]
        .as_object()
        .unwrap();
    assert_eq!(shown.keys().cloned().collect::<Names>(), read);
}

/// Validates an example against a schema of a document. A field that the schema does not have is an
/// error too.
fn fits(document: &Value, schema: &Value, example: &Value, what: &str) {
    let mut schema = json!({"allOf": [schema], "components": document["components"]});
    if document["openapi"].is_string() {
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        schema["unevaluatedProperties"] = false.into();
    } else {
        schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    }
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let faults: Vec<String> = validator
        .iter_errors(example)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{what}: {faults:?}");
}

#[test]
fn every_example_of_a_body_matches_its_schema() {
    let document = openapi().unwrap();
    let components = &document["components"];
    let mut seen = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let bodies = responses.values().chain(operation.get("requestBody"));
            for body in bodies {
                let named = body["$ref"]
                    .as_str()
                    .and_then(|name| name.rsplit('/').next());
                let body = named.map_or(body, |name| &components["responses"][name]);
                // A redirect has no content.
                let contents = body["content"].as_object().into_iter().flatten();
                for (media_type, content) in contents {
                    let what = format!("{method} {path} {media_type}");
                    let many = content["examples"].as_object().into_iter().flatten();
                    let many = many.map(|(_, one)| &one["value"]);
                    let before = seen;
                    for example in content.get("example").into_iter().chain(many) {
                        fits(&document, &content["schema"], example, &what);
                        seen += 1;
                    }
                    assert!(seen > before, "{what}");
                }
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn every_example_of_a_frame_is_valid_and_every_reply_exists() {
    let document = asyncapi();
    let messages = document["components"]["messages"].as_object().unwrap();
    for (name, message) in messages
        .iter()
        .filter(|(name, _)| name.starts_with("frame."))
    {
        let example = &message["examples"][0]["payload"];
        assert!(example.is_object(), "{name} has no example");
        fits(&document, &message["payload"], example, name);
    }
    for (name, operation) in document["operations"].as_object().unwrap() {
        let replies = operation["reply"]["messages"]
            .as_array()
            .into_iter()
            .flatten();
        for message in replies.chain(operation["messages"].as_array().unwrap()) {
            let referred = message["$ref"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap();
            assert!(messages.contains_key(referred), "{name}: {referred}");
        }
    }
}
