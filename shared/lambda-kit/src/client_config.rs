//! A session's or a run's `config`: stored as it was given, and merged key by key.
//!
//! No key or value of it is logged, since clients may put anything there.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use session::SessionId;

use crate::{Code, JsonObject, Problem, json};

/// The largest config, in bytes.
const MAX_CONFIG: usize = 64 * 1024;

/// A JSON object as a client gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig(String);

impl Default for ClientConfig {
    /// The empty one.
    fn default() -> Self {
        Self("{}".into())
    }
}

impl ClientConfig {
    /// The `config` of a body or a first frame; an empty one when it is absent.
    ///
    /// # Errors
    /// `invalid_field` for what is no object or nests too deep, `too_large` above 64 KiB.
    pub fn of(given: Option<Box<RawValue>>) -> Result<Self, Problem> {
        let Some(raw) = given else {
            return Ok(Self::default());
        };
        if !raw.get().starts_with('{') {
            return Err(Problem::field("config", "a JSON object"));
        }
        if raw.get().len() > MAX_CONFIG {
            return Err(Problem::new(
                Code::TooLarge,
                "`config` is larger than 64 KiB.",
            ));
        }
        json::check_depth("config", &json::parse_value(raw.get())?)?;
        Ok(Self(raw.get().to_owned()))
    }

    /// A config from the table.
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    pub fn into_text(self) -> String {
        self.0
    }

    /// Reads the keys of a type.
    ///
    /// # Errors
    /// `invalid_field` for the first key that does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        JsonObject::parse(&self.0)?.read()
    }

    /// All of it as a value.
    ///
    /// # Errors
    /// `internal`: the text was parsed before.
    pub fn value(&self) -> Result<Value, Problem> {
        Ok(serde_json::from_str(&self.0)?)
    }

    /// A run's config: this one, where it leaves a key out the session's, and the session's id.
    ///
    /// # Errors
    /// As [`ClientConfig::value`].
    pub fn over(&self, session: &Self, id: SessionId) -> Result<Self, Problem> {
        let mut merged: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&session.0)?;
        let own: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&self.0)?;
        merged.extend(own.into_iter().filter(|(_, value)| value.get() != "null"));
        merged.insert("session_id".into(), to_raw_value(&id)?);
        Ok(Self(serde_json::to_string(&merged)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(body: &str) -> Result<ClientConfig, Problem> {
        #[derive(serde::Deserialize)]
        struct Body {
            config: Option<Box<RawValue>>,
        }
        ClientConfig::of(JsonObject::parse(body).unwrap().read::<Body>()?.config)
    }

    #[test]
    fn a_config_is_kept_word_for_word() {
        let text = r#"{"z": 1, "a": 12345678901234567890.10, "nested": {"b": [null]}}"#;
        let config = given(&format!(r#"{{"config": {text}}}"#)).unwrap();
        assert_eq!(config.into_text(), text);
        assert_eq!(given("{}").unwrap().into_text(), "{}");
        assert_eq!(given(r#"{"config": null}"#).unwrap().into_text(), "{}");
    }

    #[test]
    fn what_is_no_object_too_deep_or_too_large_is_refused() {
        for body in [
            r#"{"config": []}"#,
            r#"{"config": "{}"}"#,
            r#"{"config": 1}"#,
        ] {
            assert_eq!(given(body).unwrap_err().status(), 422, "{body}");
        }
        let nested =
            |n: usize| format!(r#"{{"config": {}1{}}}"#, "{\"a\":".repeat(n), "}".repeat(n));
        assert!(given(&nested(json::MAX_DEPTH)).is_ok());
        assert_eq!(
            given(&nested(json::MAX_DEPTH + 1)).unwrap_err().status(),
            422
        );
        let filled = |n: usize| format!(r#"{{"config": {{"k": "{}"}}}}"#, "x".repeat(n));
        assert!(given(&filled(MAX_CONFIG - 9)).is_ok());
        assert_eq!(given(&filled(MAX_CONFIG - 8)).unwrap_err().status(), 413);
    }

    #[test]
    fn a_runs_config_overrides_the_sessions_key_by_key() {
        let id: SessionId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let session =
            ClientConfig::stored(r#"{"model": "a", "maxAttempts": 5, "n": {"x": 1}}"#.into());
        let run =
            ClientConfig::stored(r#"{"model": "b", "maxAttempts": null, "n": {"y": 2}}"#.into());
        let merged = run.over(&session, id).unwrap().value().unwrap();
        assert_eq!(
            merged,
            json!({"model": "b", "maxAttempts": 5, "n": {"y": 2}, "session_id": id})
        );
    }
}
