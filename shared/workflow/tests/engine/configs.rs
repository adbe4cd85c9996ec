//! Random configurations. Each yields settings within their ranges, or an error that names a key
//! without its value.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use session::{MODES, Mode};
use workflow::{RunSettings, RunSettingsError};

/// Words of the configuration, numbers around the ranges, and other JSON values.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..120_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-8..800_i32).prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        "researcher|engineer|none|both|before_step|after_ideas|planning_only".prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("\\PC{0,8}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// A mode, and an object with its keys.
fn config() -> impl Strategy<Value = (Mode, Value)> {
    let mode = select(MODES.to_vec()).prop_map(|info| info.id);
    mode.prop_flat_map(|mode| {
        let key = select(RunSettings::keys(mode)).prop_map(str::to_owned);
        let config = btree_map(key, value(), 0..6);
        config.prop_map(move |config| (mode, config.into_iter().collect()))
    })
}

proptest! {
    #[test]
    fn a_config_yields_valid_settings_or_an_error_with_its_key((mode, config) in config()) {
        match RunSettings::parse(mode, &config) {
            Ok(settings) => {
                prop_assert!((1..=10).contains(&settings.max_attempts));
                prop_assert!((1..=100).contains(&settings.max_rounds));
                prop_assert!((1..=50).contains(&settings.max_plan_steps));
                prop_assert!(settings.plan_reviews <= 5);
                let stored = serde_json::from_str(&config.to_string()).unwrap();
                prop_assert_eq!(RunSettings::parse(mode, &stored).unwrap(), settings);
            }
            Err(error) => {
                let RunSettingsError::Invalid { key, .. } = &error else {
                    return Err(TestCaseError::fail(error.to_string()));
                };
                prop_assert!(config.get(key).is_some_and(|value| !value.is_null()), "{error}");
            }
        }
    }

    #[test]
    fn a_value_that_is_no_object_is_no_config(value in value()) {
        let parsed = RunSettings::parse(Mode::Copilot, &value);
        prop_assert!(value.is_object() || value.is_null() || parsed == Err(RunSettingsError::WholeConfig));
    }
}
