//! The content type that a client may declare for its file: a media type in a form that any HTTP
//! client can send back as a header.

use std::fmt;
use std::str::FromStr;

/// The maximum length, in characters.
const MAX_CHARS: usize = 255;

/// A media type (RFC 9110, section 8.3.1): `type/subtype`, optionally with parameters; visible
/// ASCII, at most 255 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType(String);

/// The text is not a media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a media type such as application/pdf, of at most 255 characters")]
pub struct InvalidContentType;

impl ContentType {
    /// The same rule as a regular expression, for the API documents.
    pub const PATTERN: &'static str = concat!(
        r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+",
        r"( *;[ -~]*[!-~])?$"
    );

    /// The text as the client sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContentType {
    type Err = InvalidContentType;

    fn from_str(text: &str) -> Result<Self, InvalidContentType> {
        let (essence, parameters) = match text.split_once(';') {
            Some((essence, parameters)) => (essence.trim_end_matches(' '), Some(parameters)),
            None => (text, None),
        };
        let (kind, subtype) = essence.split_once('/').ok_or(InvalidContentType)?;
        let fits = text.len() <= MAX_CHARS
            && is_token(kind)
            && is_token(subtype)
            && parameters.is_none_or(are_parameters);
        fits.then(|| Self(text.to_owned()))
            .ok_or(InvalidContentType)
    }
}

/// Parameters are not parsed: their grammar depends on the type. A trailing space is refused
/// because HTTP strips it.
fn are_parameters(text: &str) -> bool {
    let ends = !text.is_empty() && !text.ends_with(' ');
    ends && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn is_token(text: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&byte);
    !text.is_empty() && text.bytes().all(sign)
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    #[test]
    fn a_media_type_may_have_parameters() {
        for text in [
            "application/pdf",
            "text/plain; charset=utf-8",
            "text/plain ;charset=\"utf-8\"",
            "application/vnd.oasis.opendocument.text",
            "image/svg+xml",
        ] {
            assert_eq!(text.parse::<ContentType>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_value_that_no_header_can_carry_is_refused() {
        for text in [
            "",
            "pdf",
            "/",
            "application/",
            "/pdf",
            "a/b/c",
            "text/plain;",
            "text/plain; ",
            "text/plain ",
            " text/plain",
            "text/pl ain",
            "text/plain; a=\n",
            "text/plain\r\nx-amz-acl: public-read",
            "text/plain; name=ü",
            &format!("a/{}", "b".repeat(254)),
        ] {
            assert_eq!(
                text.parse::<ContentType>(),
                Err(InvalidContentType),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_pattern_accepts_the_same_texts(text in "[a-z/; =.\\n]{0,12}|[a-z]{1,4}/[a-z]{1,4} ?;?[ -~]{0,4}") {
            // Without the flag `m`, `$` matches only at the end of the text.
            let pattern = Regex::new(ContentType::PATTERN).unwrap();
            prop_assert_eq!(text.parse::<ContentType>().is_ok(), pattern.is_match(&text), "{:?}", text);
        }
    }
}
