//! Variables of the environment, read once and into types: a variable that cannot be used stops the
//! cold start and never a request.
//!
//! [`settings!`] declares each variable once, with its default and its sentence. It makes the
//! struct that the values are read into and the list that `infra/CONFIGURATION.md` is generated
//! from. An empty variable counts as absent. A variable that only some functions need is optional,
//! and [`required`] names it where it is missing.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// A variable of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The value when it is absent; `None` for a variable that only some functions have.
    pub default: Option<&'static str>,
    /// What it sets.
    pub doc: &'static str,
}

/// A variable that is missing or cannot be used. Its value is not shown: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// The function needs it.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// It does not parse.
    #[error("{name} cannot be used: {problem}")]
    Invalid {
        /// Which variable.
        name: &'static str,
        /// What it must be.
        problem: String,
    },
}

/// A duration, given as a whole number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub Duration);

/// A duration, given as a whole number of milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Milliseconds(pub Duration);

/// A positive amount of US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usd(pub f64);

/// The text is no positive amount.
#[derive(Debug, thiserror::Error)]
#[error("it must be a positive number of US dollars")]
pub struct NotAnAmount;

impl FromStr for Usd {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let amount: f64 = text.parse().map_err(|_| NotAnAmount)?;
        let usable = amount.is_finite() && amount > 0.0;
        usable.then_some(Self(amount)).ok_or(NotAnAmount)
    }
}

/// The text is no whole number of the unit.
#[derive(Debug, thiserror::Error)]
#[error("it must be a whole number of {0}")]
pub struct NotANumberOf(&'static str);

impl FromStr for Seconds {
    type Err = NotANumberOf;

    fn from_str(text: &str) -> Result<Self, NotANumberOf> {
        let seconds = text.parse().map_err(|_| NotANumberOf("seconds"))?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

impl FromStr for Milliseconds {
    type Err = NotANumberOf;

    fn from_str(text: &str) -> Result<Self, NotANumberOf> {
        let milliseconds = text.parse().map_err(|_| NotANumberOf("milliseconds"))?;
        Ok(Self(Duration::from_millis(milliseconds)))
    }
}

/// Declares a struct of settings: `"NAME" field: Type = "default", "Sentence.";` for each variable.
/// The field of a variable without a default is an `Option`.
#[macro_export]
macro_rules! settings {
    (
        $(#[$meta:meta])* pub struct $settings:ident;
        $($name:literal $field:ident: $type:ty $(= $default:literal)?, $doc:literal;)*
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub struct $settings {
            $(#[doc = $doc] pub $field: $crate::settings!(@field $type $(, $default)?),)*
        }

        impl $settings {
            /// Every variable that is read.
            pub const VARIABLES: &[$crate::Variable] = &[$($crate::Variable {
                name: $name,
                default: $crate::settings!(@default $($default)?),
                doc: $doc,
            },)*];

            /// Reads the environment of the process.
            ///
            /// # Errors
            /// [`EnvironmentError`]($crate::EnvironmentError), which names the variable.
            pub fn from_env() -> Result<Self, $crate::EnvironmentError> {
                Self::read(|name| ::std::env::var(name).ok().filter(|value| !value.is_empty()))
            }

            /// Reads the variables whose values `get` gives.
            ///
            /// # Errors
            /// [`EnvironmentError`]($crate::EnvironmentError), which names the variable.
            pub fn read(
                get: impl Fn(&str) -> Option<String>,
            ) -> Result<Self, $crate::EnvironmentError> {
                Ok(Self { $($field: $crate::settings!(@read get, $name $(, $default)?),)* })
            }
        }
    };
    (@field $type:ty, $default:literal) => { $type };
    (@field $type:ty) => { Option<$type> };
    (@default $default:literal) => { Some($default) };
    (@default) => { None };
    (@read $get:ident, $name:literal, $default:literal) => {
        $crate::parse($name, &$get($name).unwrap_or_else(|| $default.into()))?
    };
    (@read $get:ident, $name:literal) => {
        $get($name).map(|text| $crate::parse($name, &text)).transpose()?
    };
}

/// Parses the value of a variable.
///
/// # Errors
/// [`EnvironmentError::Invalid`], without the value.
pub fn parse<T: FromStr<Err: Display>>(
    name: &'static str,
    text: &str,
) -> Result<T, EnvironmentError> {
    text.parse()
        .map_err(|error: T::Err| EnvironmentError::Invalid {
            name,
            problem: error.to_string(),
        })
}

/// The value of a variable that this function needs.
///
/// # Errors
/// [`EnvironmentError::Missing`].
pub fn required<'a>(
    name: &'static str,
    value: &'a Option<String>,
) -> Result<&'a str, EnvironmentError> {
    value.as_deref().ok_or(EnvironmentError::Missing(name))
}
