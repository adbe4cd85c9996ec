//! Reading a configuration key by key: absent and null are the default, anything else must fit.

use std::{cell::RefCell, ops::RangeInclusive};

use serde_json::{Map, Value};
use session::whole_number;

use super::RunSettingsError;

/// A configuration that is being read. It knows which keys were looked for, so that a list of them needs no second place.
pub(crate) struct Keys<'a> {
    given: Option<&'a Map<String, Value>>,
    looked_for: RefCell<Vec<&'static str>>,
}

impl<'a> Keys<'a> {
    pub fn of(config: &'a Value) -> Result<Self, RunSettingsError> {
        let given = match config {
            Value::Null => None,
            Value::Object(map) => Some(map),
            _ => return Err(RunSettingsError::WholeConfig),
        };
        Ok(Self {
            given,
            looked_for: RefCell::default(),
        })
    }

    /// Every key that was looked for, in order.
    pub fn looked_for(self) -> Vec<&'static str> {
        self.looked_for.into_inner()
    }

    pub fn whole(
        &self,
        key: &'static str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Result<u32, RunSettingsError> {
        let Some(value) = self.given(key) else {
            return Ok(default);
        };
        whole_number(value)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (low, high) = range.into_inner();
                invalid(key, format!("a whole number from {low} to {high}"))
            })
    }

    pub fn flag(&self, key: &'static str) -> Result<Option<bool>, RunSettingsError> {
        self.typed(key, Value::as_bool, "true or false")
    }

    pub fn amount(&self, key: &'static str) -> Result<Option<f64>, RunSettingsError> {
        let Some(value) = self.given(key) else {
            return Ok(None);
        };
        value
            .as_f64()
            .filter(|amount| amount.is_finite() && *amount > 0.0)
            .map(Some)
            .ok_or_else(|| invalid(key, "a number above 0".into()))
    }

    pub fn text(&self, key: &'static str) -> Result<Option<&'a str>, RunSettingsError> {
        self.typed(key, Value::as_str, "a string")
    }

    pub fn name(&self, key: &'static str) -> Result<Option<String>, RunSettingsError> {
        match self.text(key)? {
            Some(text) if text.trim().is_empty() => {
                Err(invalid(key, "a string that is not empty".into()))
            }
            text => Ok(text.map(|text| text.trim().to_owned())),
        }
    }

    pub fn one_of(
        &self,
        key: &'static str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>, RunSettingsError> {
        let Some(value) = self.given(key) else {
            return Ok(None);
        };
        words
            .iter()
            .copied()
            .find(|word| value.as_str() == Some(word))
            .map(Some)
            .ok_or_else(|| invalid(key, format!("one of {}", words.join(", "))))
    }

    fn typed<T>(
        &self,
        key: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
        must_be: &str,
    ) -> Result<Option<T>, RunSettingsError> {
        self.given(key)
            .map(|value| read(value).ok_or_else(|| invalid(key, must_be.into())))
            .transpose()
    }

    fn given(&self, key: &'static str) -> Option<&'a Value> {
        self.looked_for.borrow_mut().push(key);
        self.given?.get(key).filter(|value| !value.is_null())
    }
}

const fn invalid(key: &'static str, must_be: String) -> RunSettingsError {
    RunSettingsError::Invalid { key, must_be }
}
