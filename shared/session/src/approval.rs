//! The resolutions of an approval: synonyms, and what `approved: true` and `false` mean at a
//! checkpoint.

const POSITIVE: [&str; 5] = ["approve", "continue", "submit", "retry", "allow"];
const NEGATIVE: [&str; 4] = ["reject", "abort", "exit", "deny"];

/// Maps the synonyms `approved`, `rejected` and `modified` to `approve`, `reject` and `modify`.
pub fn canonical_resolution(text: &str) -> &str {
    match text {
        "approved" => "approve",
        "rejected" => "reject",
        "modified" => "modify",
        other => other,
    }
}

/// Returns the option that `approved: true` or `false` selects, or `None` if no option fits.
pub fn resolution_for(approved: bool, options: &[String]) -> Option<&str> {
    let candidates: &[&str] = if approved { &POSITIVE } else { &NEGATIVE };
    options
        .iter()
        .map(String::as_str)
        .find(|option| candidates.contains(option))
}

/// Whether an answer with this resolution cancels the run.
pub(crate) fn ends_the_run(resolution: &str) -> bool {
    matches!(resolution, "reject" | "abort")
}

/// Whether an answer with this resolution counts as approved.
pub(crate) fn is_positive(resolution: &str) -> bool {
    POSITIVE.contains(&resolution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approved_selects_the_positive_option_of_every_checkpoint() {
        let options = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (words, yes, no) in [
            (
                &["approve", "reject", "revise", "modify"][..],
                Some("approve"),
                Some("reject"),
            ),
            (
                &["continue", "abort", "redo"],
                Some("continue"),
                Some("abort"),
            ),
            (&["retry", "skip", "abort"], Some("retry"), Some("abort")),
            (&["skip", "abort"], None, Some("abort")),
            (
                &["submit", "continue", "done", "exit"],
                Some("submit"),
                Some("exit"),
            ),
        ] {
            assert_eq!(resolution_for(true, &options(words)), yes);
            assert_eq!(resolution_for(false, &options(words)), no);
        }
        assert_eq!(canonical_resolution("approved"), "approve");
        assert_eq!(canonical_resolution("skip"), "skip");
    }
}
