//! What a handler says of itself: the documentation above its `handle`, read from its file, so that an operation's sentences stand
//! where its code does.

use std::path::{Path, PathBuf};

/// A handler's documentation.
#[derive(Debug, PartialEq, Eq)]
pub struct Documented {
    /// Its first sentence.
    pub summary: String,
    /// All of it, up to its errors.
    pub description: String,
    /// The codes that its errors name.
    pub codes: Vec<String>,
}

/// The folder of the project.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_owned()
}

/// What the handler of a function says of itself.
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
