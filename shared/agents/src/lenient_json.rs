//! JSON as services and models write it: with a byte order mark, invalid UTF-8, or half of a
//! surrogate pair (`\ud83d` alone), which stands for no character. Each such fault becomes U+FFFD,
//! and the rest is read as it stands.

use std::borrow::Cow;

use serde_json::Value;

/// Half of a surrogate pair, as JSON escapes it, has this many bytes; so has its replacement.
const ESCAPE: usize = 6;

/// Parses a body.
pub(crate) fn from_bytes(body: &[u8]) -> serde_json::Result<Value> {
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(&whole_escapes(text.trim_start_matches('\u{feff}')))
}

/// The text with `\ufffd` in place of each escape that is half of a surrogate pair. All positions
/// stay the same.
pub(crate) fn whole_escapes(text: &str) -> Cow<'_, str> {
    let mut fixed: Option<String> = None;
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        let start = at + found;
        at = match (unit(text, start), unit(text, start + ESCAPE)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => start + 2 * ESCAPE,
            (Some(0xd800..0xe000), _) => {
                let end = start + ESCAPE;
                let fixed = fixed.get_or_insert_with(|| text.to_owned());
                fixed.replace_range(start..end, "\\ufffd");
                end
            }
            // The escaped character may be a backslash or take several bytes.
            _ => text.ceil_char_boundary(start + 2),
        };
    }
    fixed.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The code unit of the escape `\uXXXX` at this byte, if one stands there.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + ESCAPE)?.strip_prefix("\\u")?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_becomes_one_replacement_character() {
        for (json, read) in [
            (r#""The moon \ud83d pulls.""#, "The moon \u{fffd} pulls."),
            (r#""\ude00\ud83d\ude00\ud83d""#, "\u{fffd}😀\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (
                r#""\\ud83d is text, \"\u00e9\" too""#,
                "\\ud83d is text, \"é\" too",
            ),
            ("\u{feff}\"\\\\\\uDFFF\"", "\\\u{fffd}"),
            (r#""plain""#, "plain"),
        ] {
            assert_eq!(from_bytes(json.as_bytes()).unwrap(), read, "{json}");
        }
        assert_eq!(from_bytes(b"\"\xff\"").unwrap(), "\u{fffd}");
    }

    #[test]
    fn any_text_can_be_looked_through() {
        for text in [
            "",
            "\\",
            "\\é",
            "\\u",
            "\\ud8",
            "\\ud83d\\u",
            "é\\ud83é",
            "\\ud83d\\é",
        ] {
            assert_eq!(whole_escapes(text).chars().count(), text.chars().count());
        }
    }
}
