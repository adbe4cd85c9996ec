//! The values that a query parameter may have, as the end of an error's sentence.

use session::{ApprovalStatus, MODES, SessionStatus};

/// What a mode must be.
pub fn modes() -> String {
    one_of(MODES.iter().map(|mode| mode.id.id()))
}

/// What a session's status must be.
pub fn statuses() -> String {
    one_of(SessionStatus::ALL.iter().map(|status| status.as_str()))
}

/// What an approval's status must be.
pub fn approval_statuses() -> String {
    one_of(ApprovalStatus::ALL.iter().map(|status| status.as_str()))
}

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    format!("one of {}", words.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_name_every_word() {
        assert_eq!(statuses(), "one of active, suspended, completed, expired");
        assert_eq!(
            approval_statuses(),
            "one of pending, resolved, expired, cancelled"
        );
        assert!(modes().starts_with("one of copilot, planning-control, one-shot, "));
    }
}
