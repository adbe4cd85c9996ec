//! The window of a session's earlier messages that an agent receives.

use workflow::EarlierMessage;

use crate::usage::{BYTES_PER_TOKEN, estimate_tokens};

/// The marker at the end of a truncated text.
const CUT: &str = "…";

/// The newest messages that fit a budget of `max_tokens` (estimated), in chronological order.
///
/// Takes the messages newest first, as a log read backwards yields them, and stops at the first
/// that does not fit. Of that one it keeps the beginning, so that one long answer never leaves the
/// agents without history.
pub fn recent(
    newest_first: impl IntoIterator<Item = EarlierMessage>,
    max_tokens: u64,
) -> Vec<EarlierMessage> {
    let mut left = max_tokens;
    let mut messages = Vec::new();
    for message in newest_first {
        let Some(rest) = left.checked_sub(estimate_tokens(&message.text)) else {
            messages.extend(beginning(message, left));
            break;
        };
        left = rest;
        messages.push(message);
    }
    messages.reverse();
    messages
}

/// The part of a message that fits, marked as truncated; `None` when not even one character fits.
fn beginning(mut message: EarlierMessage, max_tokens: u64) -> Option<EarlierMessage> {
    let bytes = usize::try_from(max_tokens * BYTES_PER_TOKEN).unwrap_or(usize::MAX);
    let end = message
        .text
        .floor_char_boundary(bytes.saturating_sub(CUT.len()));
    message.text.truncate(end);
    message.text.push_str(CUT);
    (end > 0).then_some(message)
}
