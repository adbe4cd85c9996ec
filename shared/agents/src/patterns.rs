//! The models that a deployment allows, as patterns of their names.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// Patterns with commas between; `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPatterns(Vec<String>);

impl ModelPatterns {
    /// Whether a pattern matches the whole of the name.
    pub fn allow(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, name))
    }
}

impl FromStr for ModelPatterns {
    type Err = Infallible;

    fn from_str(list: &str) -> Result<Self, Infallible> {
        let patterns = list.split(',').map(str::trim);
        let patterns = patterns.filter(|pattern| !pattern.is_empty());
        Ok(Self(patterns.map(ToOwned::to_owned).collect()))
    }
}

impl fmt::Display for ModelPatterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((beginning, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(beginning) else {
        return false;
    };
    let mut parts: Vec<_> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    // The first place of each part leaves the most for the parts behind it.
    for part in parts {
        let Some((_, behind)) = left.split_once(part) else {
            return false;
        };
        left = behind;
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_a_whole_name() {
        for (patterns, name, allowed) in [
            ("gpt-4o*", "gpt-4o", true),
            ("gpt-4o*", "gpt-4o-mini", true),
            ("gpt-4o*", "gpt-4", false),
            ("gpt-4o*", "my-gpt-4o", false),
            ("gpt-4o", "gpt-4o-mini", false),
            ("*mini", "gpt-4o-mini", true),
            ("*mini", "mini-gpt", false),
            ("gpt-*-mini", "gpt-4o-mini", true),
            ("gpt-*-mini", "gpt-mini", false),
            ("a*b*b", "a-b", false),
            ("a*b*b", "a-b-b", true),
            ("*", "", true),
            ("x, anthropic/*,", "anthropic/claude", true),
            ("x", "", false),
        ] {
            let parsed: ModelPatterns = patterns.parse().unwrap();
            assert_eq!(parsed.allow(name), allowed, "{patterns} {name}");
        }
    }
}
