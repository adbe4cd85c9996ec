//! Schemas as both documents show them: one component for each type, and no more words than a reader needs.

use lambda_kit::api::Shape;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Makes schemas in one dialect: of what is said to clients, and of what they say.
pub struct Schemas {
    said: SchemaGenerator,
    heard: SchemaGenerator,
}

impl Schemas {
    /// In this dialect.
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

    /// The schema of what is said to clients, itself and no reference.
    pub fn said_whole<T: JsonSchema>(&mut self) -> Value {
        tidy(T::json_schema(&mut self.said).to_value())
    }

    /// The schema of what clients say, itself and no reference.
    pub fn heard_whole<T: JsonSchema>(&mut self) -> Value {
        tidy(T::json_schema(&mut self.heard).to_value())
    }

    /// The component of every type that was referred to.
    pub fn components(mut self) -> Map<String, Value> {
        let mut all = self.heard.take_definitions(true);
        all.extend(self.said.take_definitions(true));
        all.into_iter()
            .map(|(name, schema)| (name, tidy(schema)))
            .collect()
    }
}

/// An object's variants, each with the object's own properties and with one word for a name: that of its `tag`.
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

/// Puts one schema of an object into another.
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

/// Puts a reference beside which something else stands into an `allOf`: in draft 7 only the reference would count.
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

/// Makes a closed list of words one `enum`, and leaves out what only Rust knows: how large a number can be, and a default that is
/// no value.
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

/// The words of a choice that has nothing but words.
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
    fn a_choice_of_words_is_an_enum() {
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
    fn a_variant_has_what_all_have() {
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
