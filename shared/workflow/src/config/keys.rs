//! The config keys as a table, for documentation.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{RunConfig, run_config::DEFAULT_IS};

/// A key of a run's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigKey {
    /// The key, e.g. `maxAttempts`.
    pub name: String,
    /// The default; none if the meaning describes it, or if there is none.
    pub default: Option<String>,
    /// The permitted values of the type, e.g. `1 to 10`; empty if all are permitted.
    pub range: String,
    /// Its meaning.
    pub meaning: String,
}

/// Every key, by name, read from the schema of [`RunConfig`].
pub fn config_keys() -> Vec<ConfigKey> {
    let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    let schema = settings
        .into_generator()
        .into_root_schema_for::<RunConfig>();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(key).collect()
}

fn key((name, schema): (&String, &Value)) -> ConfigKey {
    let description = schema["description"].as_str().unwrap_or_default();
    let (meaning, default) = match description.split_once(DEFAULT_IS) {
        Some((meaning, default)) => (meaning, Some(default.trim_end_matches('.').to_owned())),
        None => (description, None),
    };
    ConfigKey {
        name: name.clone(),
        default,
        range: range(schema),
        meaning: meaning.replace('\n', " "),
    }
}

fn range(schema: &Value) -> String {
    let choices = schema
        .get("enum")
        .or_else(|| schema["anyOf"][0].get("enum"));
    if let Some(words) = choices
        .or_else(|| schema["anyOf"][0].get("enum"))
        .and_then(Value::as_array)
    {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return words.join(", ");
    }
    match (
        &schema["minimum"],
        &schema["maximum"],
        &schema["exclusiveMinimum"],
    ) {
        (Value::Number(least), Value::Number(most), _) => format!("{least} to {most}"),
        (_, _, Value::Number(bound)) => format!("above {bound}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::RunSettings;

    #[test]
    fn each_key_has_its_default_its_range_and_its_meaning() {
        let keys = config_keys();
        let shown = |name: &str| {
            let key = keys.iter().find(|key| key.name == name).unwrap();
            (key.default.clone(), key.range.as_str())
        };
        let some = |default: &str| Some(default.to_owned());
        assert_eq!(shown("maxAttempts"), (some("3"), "1 to 10"));
        assert_eq!(shown("agent"), (some("researcher"), "researcher, engineer"));
        assert_eq!(shown("saveText"), (some("false"), ""));
        assert_eq!(shown("maxCostUsd"), (None, "above 0"));
        let words = "before_step, after_step, both, on_error";
        assert_eq!(shown("approvalMode"), (some("both"), words));
        assert!(keys.iter().all(|key| !key.meaning.is_empty()));
    }

    #[test]
    fn each_key_belongs_to_a_mode_and_each_key_of_a_mode_exists() {
        let modes = session::MODES.iter();
        let of_modes: BTreeSet<&str> = modes.flat_map(|info| RunSettings::keys(info.id)).collect();
        let keys = config_keys();
        let all: BTreeSet<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(of_modes, all);
    }
}
