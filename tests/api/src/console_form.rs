//! The form of a new session, for the console: the modes with their config keys, and the kind, the
//! range, the default and the help of each key.

use serde_json::{Map, Value, json};
use session::MODES;
use workflow::RunSettings;

/// What separates a default from the meaning before it, in a description.
const DEFAULT_IS: &str = " Default: ";

/// `functions/console/assets/config.json`, from the API's document.
pub fn console_form(openapi: &Value) -> Value {
    let modes = MODES.iter().map(|info| {
        let mut mode = json!(info);
        mode["keys"] = json!(RunSettings::keys(info.id));
        mode
    });
    let schemas = &openapi["components"]["schemas"];
    let properties = schemas["Config"]["properties"].as_object();
    let keys = properties.into_iter().flatten();
    let keys: Map<String, Value> = keys
        .map(|(name, schema)| (name.clone(), key(schema, schemas)))
        .collect();
    json!({"modes": modes.collect::<Vec<_>>(), "keys": keys})
}

fn key(schema: &Value, schemas: &Value) -> Value {
    let described = schema["description"].as_str().unwrap_or_default();
    let described = described.replace('\n', " ");
    let (help, default) = match described.split_once(DEFAULT_IS) {
        Some((help, default)) => (help, Some(default.trim_end_matches('.'))),
        None => (&*described, None),
    };
    let named = schema["anyOf"][0]["$ref"].as_str();
    let choices = named.map(|path| {
        let name = path.rsplit('/').next().unwrap_or_default();
        &schemas[name]["enum"]
    });
    let kind = match (choices, schema["type"][0].as_str()) {
        (Some(_), _) => "choice",
        (None, Some("string")) => "text",
        (None, kind) => kind.unwrap_or_default(),
    };
    let mut key = json!({"kind": kind, "help": help});
    let given = [
        ("choices", choices.cloned()),
        ("default", default.map(Value::from)),
        ("min", schema.get("minimum").cloned()),
        ("max", schema.get("maximum").cloned()),
        ("above", schema.get("exclusiveMinimum").cloned()),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            key[name] = value;
        }
    }
    key
}
