//! Cuts texts to a size.

/// The most bytes of a message in the record. A longer answer is stored as an artifact, and its
/// message holds the beginning.
pub const MAX_MESSAGE_BYTES: usize = session::CONTENT_BYTES;

/// The most bytes of a message as JSON. A control character takes six of them, so a message of
/// [`MAX_MESSAGE_BYTES`] could be larger than a frame of 128 KB, and beside a plan even sooner.
const MAX_MESSAGE_JSON: usize = MAX_MESSAGE_BYTES / 2 * 3;

/// The beginning of a text that a message holds: all of it, if it is not long.
pub fn clip_message(text: &str) -> &str {
    let beginning = clip(text, MAX_MESSAGE_BYTES);
    let mut json = 0;
    let end = beginning.char_indices().find(|(_, c)| {
        json += match c {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..'\u{20}' => 6,
            c => c.len_utf8(),
        };
        json > MAX_MESSAGE_JSON
    });
    end.map_or(beginning, |(end, _)| &beginning[..end])
}

/// Whether a message holds only the beginning of a text, so that an artifact must hold all of it.
pub fn is_long(text: &str) -> bool {
    clip_message(text).len() < text.len()
}

/// The beginning of a text: at most `bytes` of it, without cutting a character.
pub fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The first characters of a text.
pub(crate) fn clip_chars(text: &str, chars: usize) -> &str {
    match text.char_indices().nth(chars) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_bounded_in_bytes_and_as_json() {
        let json = |text: &str| serde_json::to_string(text).unwrap().len() - 2;
        let every_kind = "\0\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1f} \"\\/é\u{7f}\u{2028}";
        for text in ["\u{1}", "\n", "x", "é", every_kind] {
            let text = text.repeat(40_000);
            let message = clip_message(&text);
            assert!(is_long(&text) && message.len() <= MAX_MESSAGE_BYTES);
            assert!(json(message) <= MAX_MESSAGE_JSON);
            let fuller =
                MAX_MESSAGE_BYTES - message.len() < 4 || MAX_MESSAGE_JSON - json(message) < 6;
            assert!(fuller, "{} {}", message.len(), json(message));
        }
        assert!(!is_long(&"x".repeat(MAX_MESSAGE_BYTES)));
        assert!(!is_long(&"\u{1}".repeat(MAX_MESSAGE_JSON / 6)));
        assert!(is_long(&"\u{1}".repeat(MAX_MESSAGE_JSON / 6 + 1)));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(clip("aé", 3), "aé");
        assert_eq!(clip("aé", 2), "a");
        assert_eq!(clip("aé", 99), "aé");
        assert_eq!(clip("é", 0), "");
        assert_eq!(clip_chars("éàü", 2), "éà");
        assert_eq!(clip_chars("éàü", 3), "éàü");
    }
}
