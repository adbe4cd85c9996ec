//! The answer of the idea maker: the ideas as a list, so that a person can choose among them, and
//! the whole answer as text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The ideas that stand after a step of the idea maker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ideas {
    /// The ideas that stand after this step, the best or the chosen one first.
    #[schemars(length(min = 1, max = 8))]
    pub ideas: Vec<Idea>,
    /// The whole answer, in Markdown.
    #[schemars(regex(pattern = r"\S"))]
    pub content: String,
    /// The ideas that stand and why, in short, for those who do the later steps: they see nothing
    /// else of this answer.
    #[schemars(length(max = 2000), regex(pattern = r"\S"))]
    pub summary: String,
}

/// One idea.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Idea {
    /// A few words that tell it from the others.
    #[schemars(length(max = 200), regex(pattern = r"\S"))]
    pub title: String,
    /// What it is and why it is worth doing, in a few sentences.
    #[schemars(length(max = 1000), regex(pattern = r"\S"))]
    pub description: String,
}
