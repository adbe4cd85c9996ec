//! Names of things: a value that exists is a value that is well formed.
//!
//! Ids are UUIDs, version 7 for new ones, so that they sort by their time of birth; the caller makes them, because
//! this crate has no clock and no randomness. An owner is a digest, so that no character of a subject can reach into
//! another owner's keys.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The text is not the id that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}")]
pub struct InvalidId {
    what: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID; new ones are of version 7.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The first 48 bits of a version 7 UUID are its time; this is the whole number, for spreading and sorting.
            pub const fn as_u128(self) -> u128 {
                self.0.as_u128()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Accepts the hyphenated form in lower case alone: one id has one spelling in a URL.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId { what: $what };
                if text.len() != 36 || text.contains(|c: char| c.is_ascii_uppercase()) {
                    return Err(invalid);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| invalid)
            }
        }
    };
}

uuid_id!(
    /// A session.
    SessionId,
    "session id"
);
uuid_id!(
    /// One run of a task within a session.
    RunId,
    "run id"
);
uuid_id!(
    /// One question to a person.
    ApprovalId,
    "approval id"
);
uuid_id!(
    /// One attempt to append: by it a writer knows its own entry again when the reply to a write was lost.
    CommitId,
    "commit id"
);

/// The first 22 characters (132 bits) of the URL-safe base64 of a SHA-256.
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length first: ("ab", "c") and ("a", "bc") are different things.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut text = URL_SAFE_NO_PAD.encode(hash.finalize());
    text.truncate(22);
    text
}

/// Who owns a session: 22 characters of a digest over the token's issuer and subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnerId(String);

impl OwnerId {
    /// The owner that a verified token names.
    pub fn of(issuer: &str, subject: &str) -> Self {
        Self(digest(&[issuer, subject]))
    }

    /// The 22 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an event in its session: 1, 2, 3, … without a gap. 0 is "before the first".
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The place `n` further on.
    #[must_use]
    pub const fn plus(self, n: u64) -> Self {
        Self(self.0 + n)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often the right to work on a session has changed hands; a worker's writes count only under its own epoch.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_22_characters_and_depends_on_both_parts() {
        let owner = OwnerId::of("https://issuer", "ada");
        assert_eq!(owner.as_str().len(), 22);
        assert_ne!(owner, OwnerId::of("https://issue", "rada"));
        assert_ne!(owner, OwnerId::of("https://issuer", "bob"));
        assert_eq!(owner, OwnerId::of("https://issuer", "ada"));
    }

    #[test]
    fn an_id_has_one_spelling() {
        let text = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(text.parse::<SessionId>().unwrap().to_string(), text);
        for bad in [
            "",
            "x",
            "01890a5dac96774bbcceb302099a8057",
            "{01890a5d-ac96-774b-bcce-b302099a8057}",
            "01890a5d-ac96-774b-bcce-b302099a805g",
        ] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad}");
        }
    }
}
