//! A time in UTC with microseconds, as clients see it and as the indexes sort it.
//!
//! The text has a fixed width, so that texts sort like the times that they name.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time in UTC. Its text is RFC 3339 with six decimals and `Z`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(jiff::Timestamp);

/// The first moment of the year 0000, in microseconds before 1970.
const YEAR_0: i64 = -62_167_219_200_000_000;

/// The text is not an RFC 3339 time in the years 0000 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// From microseconds since 1970, or `None` outside the years 0000 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        // The library accepts years down to -9999, whose text is longer.
        let time = jiff::Timestamp::from_microsecond(micros).ok();
        time.filter(|_| micros >= YEAR_0).map(Self)
    }

    /// From the system's clock. A clock outside the years 0000 to 9999 counts as 1970.
    pub fn from_system(time: std::time::SystemTime) -> Self {
        let micros = time
            .duration_since(std::time::UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_micros()).ok())
            .unwrap_or(0);
        Self::from_micros(micros).unwrap_or(Self(jiff::Timestamp::UNIX_EPOCH))
    }

    /// Microseconds since 1970.
    pub fn as_micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Whole seconds since 1970, the unit of DynamoDB's TTL.
    pub fn as_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// The time `duration` later, or the same time if that lies after the year 9999.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.as_micros().saturating_add(micros)).unwrap_or(self)
    }

    /// The duration from `earlier` to this time; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.as_micros().saturating_sub(earlier.as_micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// The time as `YYYYMMDD_HHMMSS`, for default names.
    pub fn compact(self) -> String {
        self.0.strftime("%Y%m%d_%H%M%S").to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        Self::from_micros(parsed.as_microsecond()).ok_or(InvalidTimestamp)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A moment in UTC, to the microsecond.",
            "type": "string",
            "format": "date-time",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
            "examples": ["2026-09-21T14:13:20.000007Z"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_printed_with_six_decimals_and_z() {
        let whole = Timestamp::from_micros(1_790_000_000_000_000).unwrap();
        assert_eq!(whole.to_string(), "2026-09-21T14:13:20.000000Z");
        assert_eq!(
            whole.plus(Duration::from_micros(7)).to_string(),
            "2026-09-21T14:13:20.000007Z"
        );
        assert_eq!(whole.compact(), "20260921_141320");
    }

    #[test]
    fn texts_sort_like_times_and_round_trip() {
        let early = Timestamp::from_micros(999_999).unwrap();
        let late = early.plus(Duration::from_micros(1));
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(late.to_string().parse::<Timestamp>().unwrap(), late);
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
