//! Ids as types whose values are always well formed.
//!
//! Ids are UUIDs. New ids have version 7, so that they sort by creation time. The caller creates
//! them, because this crate has no clock and no randomness. An owner is a digest, so that no
//! character of a token's subject can reach the keys of another owner.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::whole_number_in;

/// The text is not a valid id of the expected type.
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

            /// The UUID as a number. The first 48 bits of version 7 are its creation time.
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

            /// Accepts the hyphenated lower-case form only, so that an id has one form in a URL.
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
    /// The id of a session.
    SessionId,
    "session id"
);
uuid_id!(
    /// The id of a run.
    RunId,
    "run id"
);
uuid_id!(
    /// The id of an approval.
    ApprovalId,
    "approval id"
);
uuid_id!(
    /// The id of a commit. A writer recognises its own log entry by it if the reply was lost.
    CommitId,
    "commit id"
);

/// Returns the first 22 characters (132 bits) of the URL-safe base64 of a SHA-256.
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length comes first, so that ("ab", "c") and ("a", "bc") have different digests.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut text = URL_SAFE_NO_PAD.encode(hash.finalize());
    text.truncate(22);
    text
}

/// The owner of a session: a digest of 22 characters over the token's issuer and subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnerId(String);

impl OwnerId {
    /// Returns the owner that a verified token names.
    pub fn of(issuer: &str, subject: &str) -> Self {
        Self(digest(&[issuer, subject]))
    }

    /// The digest.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The position of an event in its session: 1, 2, 3, … without a gap. 0 is before the first event.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The last position that a session can have: an item's key holds 12 digits.
    pub const MAX: Self = Self(999_999_999_999);

    /// The position `n` events later.
    #[must_use]
    pub const fn plus(self, n: u64) -> Self {
        Self(self.0 + n)
    }
}

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole_number_in(deserializer, 0..=Self::MAX.0).map(Self)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The fencing token of the lease. It rises whenever the lease is taken or released, and a
/// worker's commit is accepted only under the current epoch.
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
    fn an_id_has_one_form() {
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
