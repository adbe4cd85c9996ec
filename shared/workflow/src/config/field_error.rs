//! The field of a client's JSON that does not fit, in a sentence.

use std::fmt::Display;

/// A field with a wrong value. Its text is the sentence for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` must be {must_be}.")]
pub struct FieldError {
    /// Where, e.g. `plan[2].sub_task`.
    pub field: String,
    /// What it must be, as the end of the sentence.
    pub must_be: String,
}

impl FieldError {
    /// An error that this field causes.
    pub fn new(field: impl Into<String>, must_be: impl Display) -> Self {
        Self {
            field: field.into(),
            must_be: must_be.to_string(),
        }
    }

    /// The same field as a part of `whole`.
    #[must_use]
    pub fn within(self, whole: &str) -> Self {
        Self {
            field: format!("{whole}.{}", self.field),
            ..self
        }
    }
}

impl From<serde_path_to_error::Error<serde_json::Error>> for FieldError {
    fn from(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        match missing(&message) {
            // The path of the whole value.
            Some(name) if path == "." => Self::new(name, "given"),
            Some(name) => Self::new(name, "given").within(&path),
            None => Self::new(path, expected(&message)),
        }
    }
}

fn missing(message: &str) -> Option<&str> {
    let (name, _) = message.strip_prefix("missing field `")?.split_once('`')?;
    Some(name)
}

/// What a value must be, out of serde's message. Its beginning may show the value, its end the
/// place in the text.
fn expected(message: &str) -> String {
    let (message, _) = message.rsplit_once(" at line ").unwrap_or((message, ""));
    let (_, expected) = message.rsplit_once(", expected ").unwrap_or(("", message));
    match expected {
        "a boolean" => "true or false".into(),
        "a sequence" => "a list".into(),
        // Without the backticks around the words of a choice.
        expected => expected.replace('`', ""),
    }
}
