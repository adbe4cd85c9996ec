//! The remarks of a review, parsed from its message: the record keeps the message alone, and later
//! stages need the list.

/// The entries of a numbered list, which is how a review is written; any other text is one remark.
pub(crate) fn remarks(message: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in message.lines() {
        let next = format!("{}. ", entries.len() + 1);
        match (line.strip_prefix(&next), entries.last_mut()) {
            (Some(entry), _) => entries.push(entry.to_owned()),
            (None, Some(entry)) => {
                entry.push('\n');
                entry.push_str(line);
            }
            (None, None) => return vec![message.to_owned()],
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_list_becomes_remarks_and_other_text_is_one_remark() {
        for (message, expected) in [
            ("1. Name the sources.", &["Name the sources."][..]),
            (
                "1. First,\n   in two lines.\n2. Then 3. things",
                &["First,\n   in two lines.", "Then 3. things"],
            ),
            ("Too long:\n1. shorten", &["Too long:\n1. shorten"]),
            ("", &[]),
        ] {
            assert_eq!(remarks(message), expected);
        }
    }
}
