//! What counts as a whole number in a client's JSON: JSON Schema's `integer`, to which 3.0 and 3e0 belong like 3.

use serde_json::Value;

/// From here on a float has no fraction to tell, and stands for more than one whole number.
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// A whole number from 0, however it is written.
pub fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        let whole = number.fract() == 0.0 && (0.0..=LARGEST).contains(&number);
        whole.then_some(number as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::whole_number;

    #[test]
    fn a_whole_number_may_be_written_as_a_float() {
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
