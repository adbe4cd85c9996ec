//! Cuts texts to a size.

/// The most bytes of a message in the record. A longer answer is stored as an artifact, and its
/// message holds the beginning.
pub const MAX_MESSAGE_BYTES: usize = session::CONTENT_BYTES;

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
    fn a_text_is_cut_between_characters() {
        assert_eq!(clip("aé", 3), "aé");
        assert_eq!(clip("aé", 2), "a");
        assert_eq!(clip("aé", 99), "aé");
        assert_eq!(clip("é", 0), "");
        assert_eq!(clip_chars("éàü", 2), "éà");
        assert_eq!(clip_chars("éàü", 3), "éàü");
    }
}
