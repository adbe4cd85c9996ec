//! Reads the doc comment above a handler's `handle` from its source file, so that the documentation
//! of an operation stands next to its code.

use std::path::{Path, PathBuf};

/// The doc comment of a handler.
#[derive(Debug, PartialEq, Eq)]
pub struct Documented {
    /// Its first sentence.
    pub summary: String,
    /// The text before the section on errors.
    pub description: String,
    /// The codes in its section on errors.
    pub codes: Vec<String>,
}

/// The root folder of the repository.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_owned()
}

/// The documentation of a function's handler.
///
/// # Errors
/// When its file cannot be read.
pub fn documented(function: &str) -> std::io::Result<Documented> {
    let path = root().join("functions").join(function).join("src/lib.rs");
    Ok(of_handler(&std::fs::read_to_string(path)?))
}

fn of_handler(source: &str) -> Documented {
    let above = source
        .split_once("pub async fn handle")
        .map_or("", |(above, _)| above);
    let mut lines: Vec<&str> = above
        .lines()
        .rev()
        .map_while(|line| line.strip_prefix("///"))
        .map(str::trim)
        .collect();
    lines.reverse();
    let text = lines.join(" ");
    let (description, errors) = text.split_once("# Errors").unwrap_or((&text, ""));
    let description = description.trim().to_owned();
    let end = description
        .find(". ")
        .map_or(description.len(), |end| end + 1);
    Documented {
        summary: description[..end].to_owned(),
        codes: errors
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect(),
        description,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handlers_documentation_has_a_summary_and_errors() {
        let source = "//! A room.\n\n/// Does a thing. Twice,\n/// if need be.\n///\n/// # Errors\n/// `a_b`,\n/// `c`.\npub async fn handle(";
        assert_eq!(
            of_handler(source),
            Documented {
                summary: "Does a thing.".into(),
                description: "Does a thing. Twice, if need be.".into(),
                codes: vec!["a_b".into(), "c".into()],
            }
        );
    }
}
