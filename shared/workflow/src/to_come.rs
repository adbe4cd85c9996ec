//! The configuration keys of modes that are not built yet, as data: each is held to its type already, so that a client
//! hears of a mistake now and not when the mode comes. Their values are kept in the record and mean nothing so far.

use session::Mode;

use crate::{SettingsError, keys::Keys};

/// What the value of a key must be.
enum Kind {
    Flag,
    Count,
    Text,
    Model,
    OneOf(&'static [&'static str]),
}

struct Row {
    mode: Mode,
    key: &'static str,
    kind: Kind,
}

const fn row(mode: Mode, key: &'static str, kind: Kind) -> Row {
    Row { mode, key, kind }
}

const HITL_VARIANTS: Kind = Kind::OneOf(&["full_interactive", "planning_only", "error_recovery"]);

const HITL_APPROVALS: Kind = Kind::OneOf(&["both", "before_step", "after_step", "on_error"]);

const IDEA_APPROVALS: Kind = Kind::OneOf(&[
    "none",
    "after_planning",
    "after_ideas",
    "before_step",
    "after_step",
    "both",
    "on_error",
]);

const KEYS: [Row; 14] = [
    row(Mode::Copilot, "conversational", Kind::Flag),
    row(Mode::HitlInteractive, "hitlVariant", HITL_VARIANTS),
    row(Mode::HitlInteractive, "approvalMode", HITL_APPROVALS),
    row(Mode::HitlInteractive, "maxHumanIterations", Kind::Count),
    row(Mode::HitlInteractive, "allowPlanModification", Kind::Flag),
    row(Mode::HitlInteractive, "allowStepSkip", Kind::Flag),
    row(Mode::HitlInteractive, "allowStepRetry", Kind::Flag),
    row(Mode::IdeaGeneration, "approvalMode", IDEA_APPROVALS),
    row(Mode::IdeaGeneration, "ideaMakerModel", Kind::Model),
    row(Mode::IdeaGeneration, "ideaHaterModel", Kind::Model),
    row(Mode::Ocr, "document", Kind::Text),
    row(Mode::Ocr, "saveMarkdown", Kind::Flag),
    row(Mode::Ocr, "saveJson", Kind::Flag),
    row(Mode::Ocr, "saveText", Kind::Flag),
];

/// Holds the keys of a mode that is not built yet to their types.
pub(crate) fn check(mode: Mode, keys: &Keys) -> Result<(), SettingsError> {
    KEYS.iter()
        .filter(|row| row.mode == mode)
        .try_for_each(|row| row.kind.check(row.key, keys))
}

impl Kind {
    fn check(&self, key: &'static str, keys: &Keys) -> Result<(), SettingsError> {
        match self {
            Self::Flag => keys.flag(key).map(drop),
            Self::Count => keys.count(key).map(drop),
            Self::Text => keys.text(key).map(drop),
            Self::Model => keys.name(key).map(drop),
            Self::OneOf(words) => keys.one_of(key, words).map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn checked(mode: Mode, key: &str, value: Value) -> Result<(), String> {
        let config = Value::Object([(key.to_owned(), value)].into_iter().collect());
        let keys = Keys::of(&config).map_err(|error| error.to_string())?;
        check(mode, &keys).map_err(|error| error.to_string())
    }

    #[test]
    fn each_key_refuses_another_type_and_takes_its_own() {
        for Row { mode, key, kind } in &KEYS {
            let (fits, must_be) = match kind {
                Kind::Flag => (json!(false), "true or false".into()),
                Kind::Count => (json!(3), "a whole number from 0".into()),
                Kind::Text | Kind::Model => (json!("text"), "a string".into()),
                Kind::OneOf(words) => (json!(words[0]), format!("one of {}", words.join(", "))),
            };
            assert_eq!(checked(*mode, key, fits), Ok(()));
            assert_eq!(checked(*mode, key, Value::Null), Ok(()));
            let refused = checked(*mode, key, json!([1.5]));
            assert_eq!(refused, Err(format!("config.{key} must be {must_be}.")));
        }
    }

    #[test]
    fn a_key_of_one_mode_is_nothing_to_another() {
        assert_eq!(checked(Mode::Arxiv, "saveJson", json!("yes")), Ok(()));
        assert!(checked(Mode::Ocr, "saveJson", json!("yes")).is_err());
        assert!(checked(Mode::HitlInteractive, "maxHumanIterations", json!(-1)).is_err());
        assert!(checked(Mode::HitlInteractive, "approvalMode", json!("none")).is_err());
    }
}
