//! A paper, and its summary. The known fields of a paper (title, authors, date, abstract) are not
//! requested from the model. The answer takes them from the brief.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The paper that the summarizer reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaperBrief {
    /// Its arXiv id, e.g. `2406.00001` or `math/0309136`.
    pub id: String,
    /// Its title; empty if unknown.
    pub title: String,
    /// Its authors, in the paper's order; empty if unknown.
    pub authors: Vec<String>,
    /// The date of its first publication, e.g. `2024-06-01T12:00:00Z`; empty if unknown.
    pub published: String,
    /// Its abstract; empty if unknown.
    pub abstract_text: String,
    /// Its text, truncated by the caller to the model's limit; empty if there is none.
    pub text: String,
}

/// What a paper says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperSummary {
    /// The title of the paper.
    #[schemars(length(max = 1000))]
    pub title: String,
    /// Its authors, in their order.
    #[schemars(length(max = 3000), inner(length(max = 300)))]
    pub authors: Vec<String>,
    /// When it was published, as the paper gives it; empty if it doesn't.
    #[schemars(length(max = 100))]
    pub date: String,
    /// Its abstract, word for word; empty if it has none.
    #[serde(rename = "abstract")]
    #[schemars(length(max = 8000))]
    pub abstract_text: String,
    /// What it is about, in a few words each, the most telling first.
    #[schemars(length(max = 12), inner(length(max = 100)))]
    pub keywords: Vec<String>,
    /// What it found, with its figures, the most important first.
    #[schemars(length(min = 1, max = 10), inner(length(max = 1000)))]
    pub key_findings: Vec<String>,
    /// How it was found; empty if the text doesn't say.
    #[schemars(length(max = 8), inner(length(max = 1000)))]
    pub methods: Vec<String>,
    /// From which data, samples or observations, with their sizes; empty if the text doesn't say.
    #[schemars(length(max = 8), inner(length(max = 1000)))]
    pub data: Vec<String>,
}

impl PaperBrief {
    /// The answer fields that are known before the call.
    pub(crate) fn known(&self) -> Vec<(&'static str, Value)> {
        let text = |text: &str| (!text.trim().is_empty()).then(|| json!(text));
        let authors = (!self.authors.is_empty()).then(|| json!(self.authors));
        let fields = [
            ("title", text(&self.title)),
            ("authors", authors),
            ("date", text(&self.published)),
            ("abstract", text(&self.abstract_text)),
        ];
        let known = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        known.collect()
    }
}

impl PaperSummary {
    /// The summary as Markdown, under the paper's title.
    pub(crate) fn message(&self) -> String {
        let title = if self.title.trim().is_empty() {
            "A paper without a title"
        } else {
            &self.title
        };
        let parts = [
            format!("# {title}"),
            line("Authors", &self.authors.join(", ")),
            line("Published", &self.date),
            line("Keywords", &self.keywords.join(", ")),
            section("Abstract", &self.abstract_text),
            section("Key findings", &items(&self.key_findings)),
            section("Methods", &items(&self.methods)),
            section("Data", &items(&self.data)),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("\n\n")
    }

    /// The first finding, for lists.
    pub(crate) fn summary(&self) -> String {
        let finding = self.key_findings.first().map_or("", String::as_str);
        format!("{}: {finding}", self.title)
    }
}

fn line(name: &str, value: &str) -> String {
    if value.trim().is_empty() {
        return String::new();
    }
    format!("**{name}**: {value}")
}

fn section(heading: &str, text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    format!("## {heading}\n\n{}", text.trim())
}

fn items(items: &[String]) -> String {
    let lines: Vec<String> = items.iter().map(|item| format!("- {item}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_omits_the_headings_of_empty_fields() {
        let summary = PaperSummary {
            title: "Tides".to_owned(),
            authors: vec!["A. Low".to_owned(), "B. High".to_owned()],
            date: "2024-06-01".to_owned(),
            abstract_text: String::new(),
            keywords: vec!["tide".to_owned()],
            key_findings: vec!["The moon pulls.".to_owned()],
            methods: vec![],
            data: vec!["Ten gauges.".to_owned()],
        };
        assert_eq!(
            summary.message(),
            "# Tides\n\n**Authors**: A. Low, B. High\n\n**Published**: 2024-06-01\n\n**Keywords**: tide\n\n\
             ## Key findings\n\n- The moon pulls.\n\n## Data\n\n- Ten gauges."
        );
        assert_eq!(summary.summary(), "Tides: The moon pulls.");
    }

    #[test]
    fn only_a_filled_field_counts_as_known() {
        let paper = PaperBrief {
            title: "Tides".to_owned(),
            abstract_text: " ".to_owned(),
            ..PaperBrief::default()
        };
        assert_eq!(paper.known(), [("title", json!("Tides"))]);
    }
}
