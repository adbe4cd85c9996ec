//! Estimates tokens if a provider does not count them.

/// The usual rule of thumb for English. For other languages the estimate is rather too high.
pub(crate) const BYTES_PER_TOKEN: u64 = 4;

/// The estimated tokens of a text, rounded up.
pub(crate) fn estimate_tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(BYTES_PER_TOKEN)
}
