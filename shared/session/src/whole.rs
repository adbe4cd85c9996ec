//! Whole numbers in a client's JSON. As in JSON Schema's `integer`, 3.0 and 3e0 count as 3.

use std::ops::RangeInclusive;

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};
use serde_json::Value;

/// 2⁵³ − 1: a larger float stands for more than one whole number.
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// Returns the value as a whole number from 0, or `None` if it is not one.
pub fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        let whole = number.fract() == 0.0 && (0.0..=LARGEST).contains(&number);
        whole.then_some(number as u64)
    })
}

/// Reads a whole number within a range.
///
/// # Errors
/// For any other value; the text is the end of a sentence that begins with "must be".
pub fn whole_number_in<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: RangeInclusive<u64>,
) -> Result<u64, D::Error> {
    let number = whole_number(&Value::deserialize(deserializer)?);
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            D::Error::custom(format_args!("a whole number from {least} to {most}"))
        })
}

#[cfg(test)]
mod tests {
    use super::whole_number;

    #[test]
    fn a_float_without_a_fraction_is_a_whole_number() {
        let read = |text: &str| whole_number(&serde_json::from_str(text).unwrap());
        for text in ["3", "3.0", "3e0", "0.3e1"] {
            assert_eq!(read(text), Some(3), "{text}");
        }
        assert_eq!(read("-0.0"), Some(0));
        assert_eq!(read("18446744073709551615"), Some(u64::MAX));
        for text in ["3.5", "-1", "-1.0", "1e16", "1e300", "\"3\"", "null", "[3]"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
