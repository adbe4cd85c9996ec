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
use session::Seq;

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
        match self.typed(name, &must)? {
            Some(seq) if seq > MAX_SEQ => Err(Problem::field(name, must)),
            seq => Ok(seq.map(Seq)),
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

    fn typed<T: DeserializeOwned>(&self, name: &str, must: &str) -> Result<Option<T>, Problem> {
        self.raw(name)
            .map(|raw| serde_json::from_str(raw.get()).map_err(|_| Problem::field(name, must)))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            r#"{"name": "n", "flag": true, "after": 3, "gone": null, "mode": "one-shot", "more": [1]}"#,
        )
        .unwrap();
        assert_eq!(fields.text("name").unwrap().as_deref(), Some("n"));
        assert_eq!(fields.boolean("flag").unwrap(), Some(true));
        assert_eq!(fields.seq("after").unwrap(), Some(Seq(3)));
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
        assert_eq!(
            sentence(fields.required_text("gone").unwrap_err()),
            "`gone` must be given."
        );
        assert!(fields.word::<session::Mode>("name", "a mode").is_err());
    }
}
