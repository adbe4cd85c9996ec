//! Schemas for both documents: one component per type, without redundant keywords.

use lambda_kit::api::Shape;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Generates schemas in one dialect, for messages to clients and for messages from clients.
pub struct Schemas {
    said: SchemaGenerator,
    heard: SchemaGenerator,
}

impl Schemas {
    /// Uses this dialect.
    pub fn new(dialect: SchemaSettings) -> Self {
        let dialect = dialect.with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            said: dialect.clone().for_serialize().into_generator(),
            heard: dialect.for_deserialize().into_generator(),
        }
    }

    /// The schema of an answer.
    pub fn said(&mut self, shape: &Shape) -> Value {
        tidy(shape(&mut self.said).to_value())
    }

    /// The schema of a request.
    pub fn heard(&mut self, shape: &Shape) -> Value {
        tidy(shape(&mut self.heard).to_value())
    }

    /// The inline schema of a message to clients.
    pub fn said_whole<T: JsonSchema>(&mut self) -> Value {
        tidy(T::json_schema(&mut self.said).to_value())
    }

    /// The inline schema of a message from clients.
    pub fn heard_whole<T: JsonSchema>(&mut self) -> Value {
        tidy(T::json_schema(&mut self.heard).to_value())
    }

    /// The components of all referenced types.
    pub fn components(mut self) -> Map<String, Value> {
        let mut all = self.heard.take_definitions(true);
        all.extend(self.said.take_definitions(true));
        all.into_iter()
            .map(|(name, schema)| (name, tidy(schema)))
            .collect()
    }
}

/// The variants of an object. Each includes the properties of the object and has the value of its
/// `tag` as its name.
pub fn variants(schema: &Value, tag: &str) -> Vec<(String, Value)> {
    let branches = schema["oneOf"].as_array().map_or(&[][..], Vec::as_slice);
    let whole = |branch: &Value| {
        let mut whole = schema.clone();
        if let Some(fields) = whole.as_object_mut() {
            fields.remove("oneOf");
            fields.remove("title");
        }
        merge(&mut whole, branch.clone());
        let name = whole["properties"][tag]["const"].as_str()?.to_owned();
        Some((name, whole))
    };
    branches.iter().filter_map(whole).collect()
}

/// Merges one object schema into another.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(there) => merge(there, value),
                    None => drop(into.insert(key, value)),
                }
            }
        }
        (Value::Array(into), Value::Array(from)) => into.extend(from),
        (into, from) => *into = from,
    }
}

/// Moves a reference with sibling keywords into an `allOf`, because draft 7 ignores the siblings of
/// a reference.
pub fn with_lone_references(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(with_lone_references),
        Value::Object(fields) => {
            fields.values_mut().for_each(with_lone_references);
            if fields.len() > 1
                && let Some(reference) = fields.remove("$ref")
            {
                fields.insert("allOf".into(), json!([{"$ref": reference}]));
            }
        }
        _ => {}
    }
}

/// Merges a closed list of constants into one `enum`, and removes Rust-specific keywords: the range
/// of an integer type, and a null default.
fn tidy(mut schema: Value) -> Value {
    match &mut schema {
        Value::Array(items) => {
            for item in items {
                *item = tidy(item.take());
            }
        }
        Value::Object(fields) => {
            if let Some(words) = fields.get("oneOf").and_then(words) {
                fields.remove("oneOf");
                fields.insert("type".into(), json!("string"));
                fields.insert("enum".into(), words);
            }
            if fields
                .get("format")
                .and_then(Value::as_str)
                .is_some_and(|format| format.starts_with("uint") || format == "double")
            {
                fields.remove("format");
            }
            if fields.get("default").is_some_and(Value::is_null) {
                fields.remove("default");
            }
            for value in fields.values_mut() {
                *value = tidy(value.take());
            }
        }
        _ => {}
    }
    schema
}

/// The constants of a choice that consists of constants only.
fn words(choice: &Value) -> Option<Value> {
    let branches = choice.as_array()?.iter();
    let words: Option<Vec<Vec<Value>>> = branches
        .map(|branch| match (branch.get("const"), branch.get("enum")) {
            (Some(word @ Value::String(_)), _) => Some(vec![word.clone()]),
            (_, Some(Value::Array(words))) => Some(words.clone()),
            _ => None,
        })
        .collect();
    Some(words?.concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_constants_becomes_an_enum() {
        let choice = json!({"oneOf": [
            {"description": "A.", "type": "string", "const": "a"},
            {"type": "string", "enum": ["b", "c"]},
        ]});
        assert_eq!(
            tidy(choice),
            json!({"type": "string", "enum": ["a", "b", "c"]})
        );
        let choice = json!({"oneOf": [{"const": "a"}, {"type": "integer", "format": "uint32"}]});
        assert_eq!(tidy(choice.clone())["oneOf"][0], choice["oneOf"][0]);
    }

    #[test]
    fn a_variant_includes_the_common_properties() {
        let schema = json!({
            "type": "object",
            "properties": {"at": {"type": "integer"}},
            "required": ["at"],
            "oneOf": [{"properties": {"kind": {"const": "a"}}, "required": ["kind"], "description": "A."}],
        });
        let whole = json!({
            "type": "object", "description": "A.",
            "properties": {"at": {"type": "integer"}, "kind": {"const": "a"}},
            "required": ["at", "kind"],
        });
        assert_eq!(variants(&schema, "kind"), [("a".to_owned(), whole)]);
    }
}
