//! What a client sends, body or frame: a JSON object, read into the type that documents it.
//!
//! Text that is not JSON is one problem, a field of the wrong type another, which names the field.
//! A null field is absent; an unknown field is ignored; of a repeated field the last value counts.
//! JSON that is kept as it was given passes [`check_depth`]. U+0000 is a character like any other,
//! except in file names; half of a surrogate pair is no character, so text with one is not JSON.

use std::collections::BTreeMap;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use session::{Refusal, whole_number};
use workflow::FieldError;

use crate::{Code, Problem};

/// The longest name, in characters.
pub const MAX_NAME: usize = 255;

/// How deep JSON that is kept may nest. `serde_json` reads 127 levels, and what is written around
/// kept JSON adds to its own, so the limit leaves room on both sides.
pub const MAX_DEPTH: usize = 32;

/// The ends of `serde_json`'s messages that need a sentence of their own.
const TOO_DEEP: &str = "recursion limit exceeded";
const LONE_SURROGATE: [&str; 2] = [
    "lone leading surrogate in hex escape",
    "unexpected end of hex escape",
];

/// Reads any JSON.
///
/// # Errors
/// `malformed_json`; `invalid_field` for JSON that nests deeper than `serde_json` reads.
pub fn parse_value(text: &str) -> Result<Value, Problem> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(unreadable)?;
    reader.end().map_err(|_| not_json("The text sent", ""))?;
    Ok(value)
}

fn unreadable(error: serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let path = error.path().to_string();
    let message = error.into_inner().to_string();
    if message.starts_with(TOO_DEEP) {
        let field = path.split(['.', '[']).next().unwrap_or_default();
        return too_deep(field);
    }
    // A key that cannot be read is `?`, the whole text `.`.
    let place = match path.trim_end_matches(['?', '.']) {
        "" => "The text sent".to_owned(),
        path => format!("`{path}`"),
    };
    match LONE_SURROGATE.iter().any(|of| message.starts_with(of)) {
        true => not_json(&place, ": a `\\u` escape is half of a surrogate pair"),
        false => not_json("The text sent", ""),
    }
}

fn not_json(place: &str, reason: &str) -> Problem {
    Problem::new(
        Code::MalformedJson,
        format!("{place} is not valid JSON{reason}."),
    )
}

pub(crate) fn too_deep(field: &str) -> Problem {
    Problem::field(field, format_args!("nested at most {MAX_DEPTH} deep"))
}

/// Checks a field's JSON that is kept as it was given.
///
/// # Errors
/// `invalid_field` above [`MAX_DEPTH`].
pub fn check_depth(field: &str, value: &Value) -> Result<(), Problem> {
    match depth(value) {
        0..=MAX_DEPTH => Ok(()),
        _ => Err(too_deep(field)),
    }
}

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(values) => values.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

/// A JSON object, whose values keep their text.
#[derive(Debug)]
pub struct JsonObject<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> JsonObject<'a> {
    /// Reads a text.
    ///
    /// # Errors
    /// As [`parse_value`]; `invalid_field` for JSON that is not an object.
    pub fn parse(text: &'a str) -> Result<Self, Problem> {
        // Values that keep their text would let a broken string inside them pass.
        if !parse_value(text)?.is_object() {
            return Err(Problem::new(
                Code::InvalidField,
                "The JSON must be an object.",
            ));
        }
        let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
        fields.retain(|_, value| value.get() != "null");
        Ok(Self(fields))
    }

    /// The fields of an object whose values may be broken, if it is one.
    pub fn skim(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// Whether a field is there, and not null.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Reads the fields of a type.
    ///
    /// # Errors
    /// `invalid_field` for the first field that does not fit, by name.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let fields = self.0.iter().map(|(name, value)| (name.as_str(), *value));
        serde_path_to_error::deserialize(MapDeserializer::new(fields))
            .map_err(|error| FieldError::from(error).into())
    }
}

/// A text that names something by its id. What is no id names nothing: it is not found, and not
/// malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<T>(Option<T>);

impl<T> Reference<T> {
    /// The id.
    ///
    /// # Errors
    /// `otherwise` for a text that is no id.
    pub fn id(self, otherwise: Refusal) -> Result<T, Refusal> {
        self.0.ok_or(otherwise)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Reference<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?.parse().ok()))
    }
}

impl<T: JsonSchema> JsonSchema for Reference<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Reads a text by its own parser, whose error is the end of a sentence.
///
/// # Errors
/// That of the parser.
pub fn parsed<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

/// Reads how many of something there are: a whole number from 1.
///
/// # Errors
/// For anything else.
pub fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = whole_number(&Value::deserialize(deserializer)?).filter(|number| *number > 0);
    number.ok_or_else(|| D::Error::custom("a whole number from 1"))
}

/// Reads a name of at most [`MAX_NAME`] characters. A blank one is absent, so that the default name
/// counts.
///
/// # Errors
/// For a longer name.
pub fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let given = Option::<String>::deserialize(deserializer)?;
    let given = given.filter(|text| !is_blank(text));
    given.map(short_enough).transpose()
}

/// Reads a name of at most [`MAX_NAME`] characters that replaces another one.
///
/// # Errors
/// For a longer name and a blank one.
pub fn new_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if is_blank(&text) => Err(D::Error::custom("a string that is not empty")),
        given => given.map(short_enough).transpose(),
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn short_enough<E: serde::de::Error>(name: String) -> Result<String, E> {
    match name.chars().count() {
        0..=MAX_NAME => Ok(name),
        _ => Err(E::custom(format_args!(
            "at most {MAX_NAME} characters long"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use session::{Mode, Seq, SessionId};

    use super::*;
    use crate::{AnswerBody, AnswerInput, ClientConfig, Task};

    /// Every kind of field.
    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Body {
        task: Option<String>,
        #[serde(deserialize_with = "super::name")]
        name: Option<String>,
        after: Option<Seq>,
        mode: Option<Mode>,
        flag: Option<bool>,
        session: Option<Reference<SessionId>>,
        config: Option<Box<RawValue>>,
    }

    fn body(text: &str) -> Result<Body, Problem> {
        JsonObject::parse(text)?.read()
    }

    /// Any JSON, with the names of known fields.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC*".prop_map(Value::from),
        ];
        let name = "task|config|approved|resolution|feedback|modifications|after|name|\\PC*";
        leaf.prop_recursive(4, 32, 8, move |inner| {
            prop_oneof![
                vec(inner.clone(), 0..8).prop_map(Value::from),
                btree_map(name, inner, 0..8).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    /// Reads a text as a body and as an answer.
    fn read(text: &str) -> Result<(), Problem> {
        let body = body(text)?;
        Task::new(body.task)?;
        AnswerInput::of(JsonObject::parse(text)?.read::<AnswerBody>()?)?;
        let config = ClientConfig::of(body.config)?;
        let id = SessionId::new(uuid::Uuid::nil());
        config.over(&ClientConfig::default(), id)?.value().map(drop)
    }

    proptest! {
        #[test]
        fn no_text_is_an_internal_error(text in "\\PC*") {
            prop_assert!(read(&text).map_or_else(|problem| problem.status() < 500, |()| true));
        }

        #[test]
        fn no_json_is_an_internal_error_and_white_space_means_nothing(json in json()) {
            let (short, long) = (json.to_string(), serde_json::to_string_pretty(&json).unwrap());
            let outcome = |text: &str| read(text).map_err(|problem| (problem.status(), problem.to_string()));
            prop_assert_eq!(outcome(&short), outcome(&long));
            prop_assert!(outcome(&short).map_or_else(|(status, _)| status < 500, |()| true));
        }

        #[test]
        fn a_broken_text_is_not_an_internal_error(json in json(), cut in any::<prop::sample::Index>()) {
            let text = json.to_string();
            let beginning: String = text.chars().take(cut.index(text.len())).collect();
            prop_assert!(read(&beginning).map_or_else(|problem| problem.status() < 500, |()| true));
        }
    }

    #[test]
    fn what_is_not_json_and_what_is_not_an_object_are_told_apart() {
        for (text, code) in [
            ("", Code::MalformedJson),
            ("{", Code::MalformedJson),
            ("{\"a\":1}x", Code::MalformedJson),
            ("{\"a\":[1e999]}", Code::MalformedJson),
            ("[]", Code::InvalidField),
            ("\"text\"", Code::InvalidField),
            ("null", Code::InvalidField),
        ] {
            assert_eq!(body(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn half_of_a_surrogate_pair_is_named_with_its_field() {
        for (text, place) in [
            (r#"{"task": "\ud83d"}"#, "`task`"),
            (r#"{"task": "\ud83dx", "name": "n"}"#, "`task`"),
            (r#"{"name": "n", "task": "\ude00"}"#, "`task`"),
            (r#"{"a": {"b": [1, "\ud83d\u0041"]}}"#, "`a.b[1]`"),
            (r#"{"\ud83d": 1}"#, "The text sent"),
            (r#"{"config": {"\ud83d": 1}}"#, "`config`"),
        ] {
            let problem = body(text).unwrap_err();
            assert_eq!(problem.code(), Code::MalformedJson, "{text}");
            let sentence =
                format!("{place} is not valid JSON: a `\\u` escape is half of a surrogate pair.");
            assert_eq!(problem.to_string(), sentence, "{text}");
        }
        let whole = body(r#"{"task": "\ud83d\ude00\u0000"}"#).unwrap();
        assert_eq!(whole.task.as_deref(), Some("\u{1F600}\0"));
    }

    #[test]
    fn json_that_is_kept_nests_at_most_32_deep() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let value = |depth| parse_value(&nested(depth)).unwrap();
        assert!(check_depth("a", &value(MAX_DEPTH)).is_ok());
        assert!(check_depth("a", &serde_json::json!({"b": value(MAX_DEPTH - 1)})).is_ok());
        let sentence = "`a` must be nested at most 32 deep.";
        for deep in [value(MAX_DEPTH + 1), value(125)] {
            let problem = check_depth("a", &deep).unwrap_err();
            assert_eq!(problem.code(), Code::InvalidField);
            assert_eq!(problem.to_string(), sentence);
        }
        let problem = body(&format!("{{\"a\":{}}}", nested(500))).unwrap_err();
        assert_eq!(problem.code(), Code::InvalidField);
        assert_eq!(problem.to_string(), sentence);
    }

    #[test]
    fn a_field_is_read_by_its_type_and_null_is_absent() {
        let read = body(
            r#"{"name": "  ", "flag": true, "after": 3.0, "task": null, "mode": "one-shot", "more": [1],
                "mode": "ocr", "session": "x", "config": { "a":1.50 }}"#,
        )
        .unwrap();
        assert_eq!((read.name, read.flag, read.task), (None, Some(true), None));
        assert_eq!((read.after, read.mode), (Some(Seq(3)), Some(Mode::Ocr)));
        assert_eq!(read.config.unwrap().get(), r#"{ "a":1.50 }"#);
        let reference = read.session.unwrap().id(Refusal::NoSuchSession);
        assert_eq!(reference, Err(Refusal::NoSuchSession));
        let longest = "é".repeat(MAX_NAME);
        let named = body(&format!(r#"{{"name": "{longest}"}}"#)).unwrap();
        assert_eq!(named.name, Some(longest));
    }

    #[test]
    fn a_field_that_does_not_fit_is_named_with_what_it_must_be() {
        #[derive(Debug, Deserialize)]
        struct Required {
            #[expect(dead_code, reason = "it is never given")]
            size: u64,
        }
        for (text, sentence) in [
            (r#"{"task": false}"#, "`task` must be a string."),
            (
                r#"{"flag": ", expected 1"}"#,
                "`flag` must be true or false.",
            ),
            (
                r#"{"after": "n"}"#,
                "`after` must be a whole number from 0 to 999999999999.",
            ),
            (
                r#"{"after": 1000000000000}"#,
                "`after` must be a whole number from 0 to 999999999999.",
            ),
            (
                &format!(r#"{{"name": "{}"}}"#, "x".repeat(MAX_NAME + 1)),
                "`name` must be at most 255 characters long.",
            ),
            (
                r#"{"mode": "one-shoe"}"#,
                "`mode` must be one of copilot, planning-control, one-shot, hitl-interactive, \
                 idea-generation, ocr, arxiv, enhance-input.",
            ),
        ] {
            let problem = body(text).unwrap_err();
            assert_eq!(problem.code(), Code::InvalidField, "{text}");
            assert_eq!(problem.to_string(), sentence);
        }
        let missing = JsonObject::parse("{}").unwrap().read::<Required>();
        assert_eq!(missing.unwrap_err().to_string(), "`size` must be given.");
    }
}
