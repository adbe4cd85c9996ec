//! File names from clients and models: one rule for uploads, configurations and what runs write.
//!
//! A valid name cannot refer outside its folder, on any system that reads it. Two names that look
//! alike are the same: composed characters have one form, and nothing in a name is invisible.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization as _;

/// The maximum length, in characters.
const MAX_CHARS: usize = 255;

/// The maximum length, in bytes. A bucket key has at most 1,024
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>), and the longest
/// folder takes 104 of them.
const MAX_BYTES: usize = 900;

/// The name of an artifact, in Unicode's normal form C: 1 to 255 characters in at most 900 bytes,
/// without a separator (`/`, `\`), without control and format characters, without blanks at its
/// ends, and neither `.` nor `..`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArtifactName(String);

/// The text cannot be the name of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name of 1 to 255 characters in at most 900 bytes, without separators, control and format characters, without blanks at its ends, and not `.` or `..`"
)]
pub struct InvalidName;

impl ArtifactName {
    /// The allowed characters as a regular expression, for the API documents. Format characters
    /// above U+FFFF are left out, because no escape of them means the same everywhere.
    pub const PATTERN: &'static str = r"^(?!\s)[^/\\\u0000-\u001f\u007f-\u009f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]{1,255}(?<!\s)$";

    /// The name of a file that exists, as the bucket has it. Older versions took names that are
    /// refused now.
    ///
    /// # Errors
    /// [`InvalidName`] for a name that refers outside its folder.
    pub fn of_stored(name: &str) -> Result<Self, InvalidName> {
        // The byte limit comes first: it bounds the number of characters to count.
        let fits = name.len() <= MAX_BYTES && (1..=MAX_CHARS).contains(&name.chars().count());
        let stays = name != "." && name != ".." && !name.chars().any(is_forbidden);
        if fits && stays {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidName)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its extension: `paper` of `paper.pdf`, `.env` of `.env`.
    pub fn stem(&self) -> &str {
        match self.0.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => &self.0,
        }
    }

    /// The part after the last full stop, in lower case; empty without a full stop.
    pub fn ending(&self) -> String {
        match self.0.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() => ending.to_ascii_lowercase(),
            _ => String::new(),
        }
    }
}

impl TryFrom<String> for ArtifactName {
    type Error = InvalidName;

    fn try_from(name: String) -> Result<Self, InvalidName> {
        let is_format = |sign| get_general_category(sign) == GeneralCategory::Format;
        if name.trim() != name || name.chars().any(is_format) {
            return Err(InvalidName);
        }
        Self::of_stored(&name.nfc().collect::<String>())
    }
}

/// U+FFFE and U+FFFF are noncharacters, which the bucket's XML cannot contain.
fn is_forbidden(sign: char) -> bool {
    sign.is_control() || matches!(sign, '/' | '\\' | '\u{FFFE}' | '\u{FFFF}')
}

impl FromStr for ArtifactName {
    type Err = InvalidName;

    fn from_str(name: &str) -> Result<Self, InvalidName> {
        name.to_owned().try_into()
    }
}

impl From<ArtifactName> for String {
    fn from(name: ArtifactName) -> Self {
        name.0
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_it_was_given() {
        for name in [
            "paper.pdf",
            "a",
            ".env",
            "...",
            "..a",
            "a b.txt",
            "%2e%2e%2f",
            "naïve Übersicht.md",
            "論文.pdf",
            "a<b>&\"c\"?.md",
            &"x".repeat(255),
            &"é".repeat(255),
            &"論".repeat(255),
        ] {
            assert_eq!(name.parse::<ArtifactName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_name_is_kept_in_normal_form_c() {
        let composed: ArtifactName = "r\u{e9}sum\u{e9}.pdf".parse().unwrap();
        let decomposed: ArtifactName = "re\u{301}sume\u{301}.pdf".parse().unwrap();
        assert_eq!(decomposed, composed);
        assert_eq!(decomposed.as_str(), "résumé.pdf");
        // Compatibility characters are characters of their own.
        assert_eq!("ﬁ².pdf".parse::<ArtifactName>().unwrap().as_str(), "ﬁ².pdf");
    }

    #[test]
    fn a_name_with_invisible_parts_is_refused_and_read_where_it_exists() {
        for name in [
            " lead.pdf",
            "lead.pdf ",
            "\u{a0}lead.pdf",
            "lead.pdf\u{3000}",
            " ",
            "a\u{202e}fdp.exe",
            "a\u{200b}.pdf",
            "a\u{200d}.pdf",
            "\u{feff}a.pdf",
            "a\u{ad}.pdf",
            "a\u{e0041}.pdf",
        ] {
            assert_eq!(name.parse::<ArtifactName>(), Err(InvalidName), "{name:?}");
            assert_eq!(ArtifactName::of_stored(name).unwrap().as_str(), name);
        }
        let old = "re\u{301}.pdf";
        assert_eq!(ArtifactName::of_stored(old).unwrap().as_str(), old);
    }

    #[test]
    fn a_name_that_refers_outside_its_folder_is_refused() {
        for name in [
            "",
            ".",
            "..",
            "/",
            "a/b",
            "../a",
            "..\\a",
            "a\\b",
            "a/",
            "/etc/passwd",
            "a\0b",
            "a\nb",
            "a\r",
            "\t",
            "a\u{7f}",
            "a\u{85}b",
            "a\u{ffff}",
            &"x".repeat(256),
            &"é".repeat(256),
            &"😀".repeat(226),
        ] {
            assert_eq!(name.parse::<ArtifactName>(), Err(InvalidName), "{name:?}");
            assert_eq!(ArtifactName::of_stored(name), Err(InvalidName), "{name:?}");
        }
    }

    #[test]
    fn a_name_is_validated_when_it_is_read_from_json() {
        let name: ArtifactName = serde_json::from_str("\"paper.pdf\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"paper.pdf\"");
        assert!(serde_json::from_str::<ArtifactName>("\"../paper.pdf\"").is_err());
    }

    #[test]
    fn a_name_has_a_stem_and_an_extension() {
        for (name, stem, ending) in [
            ("paper.pdf", "paper", "pdf"),
            ("Scan.2.TIFF", "Scan.2", "tiff"),
            ("README", "README", ""),
            (".env", ".env", ""),
            ("a.", "a", ""),
        ] {
            let name: ArtifactName = name.parse().unwrap();
            assert_eq!((name.stem(), name.ending().as_str()), (stem, ending));
        }
    }
}
