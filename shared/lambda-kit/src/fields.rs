//! What a client sends, body or frame: a JSON object whose fields are taken out one by one, each with its type.
//!
//! Text that is no JSON is one problem, a field of the wrong type another, named. A field that is null is absent, and a
//! field that nobody asks for is ignored. The raw text of a value is kept, so that a `config` comes back as it was given.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use session::{Seq, whole_number};

use crate::{Code, Problem};

/// The last place that a session's record can have: what 12 digits hold.
pub(crate) const MAX_SEQ: u64 = 999_999_999_999;

/// The longest name, in characters.
const MAX_NAME: usize = 255;

/// The fields of a JSON object.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// `malformed_json` for a text that is no JSON, `invalid_field` for JSON that is no object.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        // The whole is parsed first: raw values alone would let a broken string inside them pass.
        let whole: Value = serde_json::from_str(text)
            .map_err(|_| Problem::new(Code::MalformedJson, "The text sent is not valid JSON."))?;
        if !whole.is_object() {
            return Err(Problem::new(
                Code::InvalidField,
                "The JSON must be an object.",
            ));
        }
        let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text)?;
        fields.retain(|_, value| value.get() != "null");
        Ok(Self(fields))
    }

    /// Whether a field is there, and not null.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A field that is a text.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        self.typed(name, "a string")
    }

    /// A field that is a text which the client cannot leave out.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn required_text(&self, name: &str) -> Result<String, Problem> {
        self.text(name)?
            .ok_or_else(|| Problem::field(name, "given"))
    }

    /// A field that names something: at most 255 characters. A blank one is absent, so that the default name counts.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn name(&self, name: &str) -> Result<Option<String>, Problem> {
        let given = self.text(name)?.filter(|text| !text.trim().is_empty());
        if given
            .as_ref()
            .is_some_and(|text| text.chars().count() > MAX_NAME)
        {
            let must = format_args!("at most {MAX_NAME} characters long");
            return Err(Problem::field(name, must));
        }
        Ok(given)
    }

    /// A field that is true or false.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Problem> {
        self.typed(name, "true or false")
    }

    /// A field that is a place in a session's record, from 0.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn seq(&self, name: &str) -> Result<Option<Seq>, Problem> {
        let must = format!("a whole number from 0 to {MAX_SEQ}");
        match self.whole(name, &must)? {
            Some(seq) if seq > MAX_SEQ => Err(Problem::field(name, must)),
            seq => Ok(seq.map(Seq)),
        }
    }

    /// A field that is how many of something: a whole number from 1.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn count(&self, name: &str) -> Result<Option<u64>, Problem> {
        let must = "a whole number from 1";
        match self.whole(name, must)? {
            Some(0) => Err(Problem::field(name, must)),
            count => Ok(count),
        }
    }

    /// A field that is a text with a meaning: an id, a mode.
    ///
    /// # Errors
    /// `invalid_field`; `must` says what it must be.
    pub fn word<T: FromStr>(&self, name: &str, must: impl Display) -> Result<Option<T>, Problem> {
        let parse = |text: String| text.parse().map_err(|_| Problem::field(name, must));
        self.text(name)?.map(parse).transpose()
    }

    /// A field as it was written.
    pub fn raw(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).map(AsRef::as_ref)
    }

    fn whole(&self, name: &str, must: &str) -> Result<Option<u64>, Problem> {
        let value: Option<Value> = self.typed(name, must)?;
        value
            .map(|value| whole_number(&value).ok_or_else(|| Problem::field(name, must)))
            .transpose()
    }

    fn typed<T: DeserializeOwned>(&self, name: &str, must: &str) -> Result<Option<T>, Problem> {
        self.raw(name)
            .map(|raw| serde_json::from_str(raw.get()).map_err(|_| Problem::field(name, must)))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::{AnswerInput, ClientConfig, Task};

    /// Any JSON, with the field names that somebody asks for.
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

    /// Takes out all that anybody asks for; each problem is the client's own.
    fn read(text: &str) -> Result<(), Problem> {
        let fields = Fields::parse(text)?;
        fields.text("task").and_then(Task::new).map(drop)?;
        fields.name("name")?;
        fields.seq("after")?;
        AnswerInput::of(&fields)?;
        let config = ClientConfig::of(&fields)?;
        let id = session::SessionId::new(uuid::Uuid::nil());
        let merged = config.over(&ClientConfig::default(), id)?;
        merged.fields().and_then(|_| merged.value())?;
        Ok(())
    }

    proptest! {
        #[test]
        fn no_text_is_a_fault_of_ours(text in "\\PC*") {
            prop_assert!(read(&text).map_or_else(|problem| problem.status() < 500, |()| true));
        }

        #[test]
        fn no_json_is_a_fault_of_ours_and_its_white_space_means_nothing(json in json()) {
            let (short, long) = (json.to_string(), serde_json::to_string_pretty(&json).unwrap());
            let outcome = |text: &str| read(text).map_err(|problem| (problem.status(), problem.to_string()));
            prop_assert_eq!(outcome(&short), outcome(&long));
            prop_assert!(outcome(&short).map_or_else(|(status, _)| status < 500, |()| true));
        }

        #[test]
        fn a_broken_text_is_malformed_and_nothing_worse(json in json(), cut in any::<prop::sample::Index>()) {
            let text = json.to_string();
            let beginning: String = text.chars().take(cut.index(text.len())).collect();
            prop_assert!(read(&beginning).map_or_else(|problem| problem.status() < 500, |()| true));
        }
    }

    #[test]
    fn what_is_no_json_and_what_is_no_object_are_told_apart() {
        for (text, code) in [
            ("", Code::MalformedJson),
            ("{", Code::MalformedJson),
            ("{\"a\":1}x", Code::MalformedJson),
            ("{\"a\":\"\\ud800\"}", Code::MalformedJson),
            ("{\"a\":[1e999]}", Code::MalformedJson),
            ("[]", Code::InvalidField),
            ("\"text\"", Code::InvalidField),
            ("null", Code::InvalidField),
        ] {
            assert_eq!(Fields::parse(text).unwrap_err().code(), code, "{text}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500));
        assert_eq!(
            Fields::parse(&deep).unwrap_err().code(),
            Code::MalformedJson
        );
    }

    #[test]
    fn a_name_has_at_most_255_characters_and_a_blank_one_is_absent() {
        let name = |text: &str| Fields::parse(&format!(r#"{{"name": "{text}"}}"#))?.name("name");
        let longest = "é".repeat(255);
        assert_eq!(name(&longest).unwrap(), Some(longest));
        assert_eq!(name("  ").unwrap(), None);
        assert_eq!(name(&"x".repeat(256)).unwrap_err().status(), 422);
    }

    #[test]
    fn a_field_is_typed_and_null_is_absent() {
        let fields = Fields::parse(
            r#"{"name": "n", "flag": true, "after": 3.0, "gone": null, "mode": "one-shot", "more": [1]}"#,
        )
        .unwrap();
        assert_eq!(fields.text("name").unwrap().as_deref(), Some("n"));
        assert_eq!(fields.boolean("flag").unwrap(), Some(true));
        assert_eq!(fields.seq("after").unwrap(), Some(Seq(3)));
        assert_eq!(fields.count("after").unwrap(), Some(3));
        assert_eq!(fields.count("gone").unwrap(), None);
        assert_eq!(fields.text("gone").unwrap(), None);
        assert!(!fields.has("gone") && fields.has("more"));
        let mode = fields.word::<session::Mode>("mode", "a mode").unwrap();
        assert_eq!(mode, Some(session::Mode::OneShot));

        let sentence = |problem: Problem| problem.to_string();
        assert_eq!(
            sentence(fields.text("flag").unwrap_err()),
            "`flag` must be a string."
        );
        assert_eq!(
            sentence(fields.seq("name").unwrap_err()),
            "`name` must be a whole number from 0 to 999999999999."
        );
        let zero = Fields::parse(r#"{"after": 0}"#).unwrap();
        assert_eq!(
            sentence(zero.count("after").unwrap_err()),
            "`after` must be a whole number from 1."
        );
        assert_eq!(
            sentence(fields.required_text("gone").unwrap_err()),
            "`gone` must be given."
        );
        assert!(fields.word::<session::Mode>("name", "a mode").is_err());
    }
}
