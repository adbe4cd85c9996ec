//! The last task of enhance-input: writes the original text and, below it, the summaries of its
//! references.

use std::fmt::Write as _;

use agents::PaperSummary;
use workflow::DocumentTaskResult;

use super::papers::{PaperEntry, count_papers};
use super::summarize::PaperSummaryDraft;
use super::work_files::fixed_name;
use super::{DocumentTaskError, TaskContext, done, failure};

/// The artifact.
const ENHANCED: &str = "enhanced_input.md";

/// The heading above the summaries, which is part of the API.
const HEADING: &str = "## Contextual Information and References";

impl TaskContext<'_> {
    pub(super) async fn enhance(&self) -> Result<DocumentTaskResult, DocumentTaskError> {
        let files = self.work_files();
        let downloads = self.downloads().await?;
        let (with_pdf, without): (Vec<PaperEntry>, Vec<PaperEntry>) = downloads
            .papers
            .into_iter()
            .partition(|entry| entry.file.is_some());
        let summaries: Vec<PaperSummaryDraft> = files
            .read_all(PaperSummaryDraft::name, with_pdf.len())
            .await?;
        let enhanced = Enhanced::of(summaries, without);
        if let Some(reasons) = enhanced.why_none() {
            let error = format!("No paper could be summarised ({reasons}).");
            return Err(failure("no_summary", error).into());
        }
        let text = enhanced.text(&self.history.task());
        files.publish(&fixed_name(ENHANCED), text).await?;
        Ok(DocumentTaskResult {
            artifacts: vec![ENHANCED.into()],
            message: Some(enhanced.message()),
            ..done(format!("{ENHANCED} is written."))
        })
    }
}

/// The summaries that are added to a text.
struct Enhanced {
    papers: Vec<(PaperEntry, PaperSummary)>,
    left_out: Vec<(PaperEntry, String)>,
}

impl Enhanced {
    fn of(summaries: Vec<PaperSummaryDraft>, without_pdf: Vec<PaperEntry>) -> Self {
        let (mut papers, mut left_out) = (Vec::new(), Vec::new());
        for PaperSummaryDraft {
            entry,
            summary,
            error,
        } in summaries
        {
            match summary {
                Some(summary) => papers.push((entry, summary)),
                None => left_out.push((entry, error.unwrap_or_default())),
            }
        }
        left_out.extend(without_pdf.into_iter().map(|entry| {
            let reason = entry.error.clone().unwrap_or_default();
            (entry, reason)
        }));
        Self { papers, left_out }
    }

    /// The reasons, if there were papers and none was summarised.
    fn why_none(&self) -> Option<String> {
        (self.papers.is_empty() && !self.left_out.is_empty()).then(|| self.reasons())
    }

    fn reasons(&self) -> String {
        let reasons = self.left_out.iter();
        let reasons: Vec<String> = reasons
            .map(|(entry, reason)| format!("{}: {reason}", entry.id))
            .collect();
        reasons.join("; ")
    }

    /// The text with the summaries. Without papers the text is unchanged.
    fn text(&self, original: &str) -> String {
        if self.papers.is_empty() {
            return original.to_owned();
        }
        let mut text = format!("{}\n\n{HEADING}\n", original.trim_end());
        for (number, (entry, summary)) in (1..).zip(&self.papers) {
            let _ = write!(text, "\n{}", section(number, entry, summary));
        }
        if !self.left_out.is_empty() {
            let _ = write!(text, "\n*Left out: {}.*\n", self.reasons());
        }
        text
    }

    /// The message that ends the run.
    fn message(&self) -> String {
        let said = match self.papers.len() {
            1 => "what 1 paper says".into(),
            count => format!("what {} say", count_papers(count)),
        };
        match (self.papers.is_empty(), self.left_out.is_empty()) {
            (true, _) => {
                format!("The text refers to no paper at arXiv: {ENHANCED} holds it unchanged.")
            }
            (false, true) => format!("{ENHANCED} holds the text and {said} about it."),
            (false, false) => format!(
                "{ENHANCED} holds the text and {said} about it. Left out: {}.",
                self.reasons()
            ),
        }
    }
}

/// The section about one paper.
fn section(number: usize, entry: &PaperEntry, summary: &PaperSummary) -> String {
    let title = match summary.title.trim() {
        "" => entry.id.as_str(),
        title => title,
    };
    let mut text = format!(
        "### {number}. {title}\n\n- arXiv: [{}]({})\n",
        entry.id, entry.url
    );
    for (name, value) in [
        ("Authors", summary.authors.join(", ")),
        ("Date", summary.date.clone()),
        ("Keywords", summary.keywords.join(", ")),
    ] {
        if !value.trim().is_empty() {
            let _ = writeln!(text, "- {name}: {value}");
        }
    }
    if !summary.abstract_text.trim().is_empty() {
        let _ = write!(text, "\n**Abstract.** {}\n", summary.abstract_text.trim());
    }
    for (name, entries) in [
        ("Key findings", &summary.key_findings),
        ("Methods", &summary.methods),
        ("Data", &summary.data),
    ] {
        if !entries.is_empty() {
            let _ = write!(text, "\n**{name}**\n\n- {}\n", entries.join("\n- "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn summary(id: &str, error: Option<&str>) -> PaperSummaryDraft {
        let summary = json!({
            "title": "Tides", "authors": ["A. Low", "B. High"], "date": "2021-01-01", "abstract": "The moon pulls.",
            "keywords": ["tide"], "key_findings": ["It pulls twice."], "methods": [], "data": ["Ten gauges."],
        });
        let entry = json!({
            "id": id, "title": "Tides", "authors": [], "published": "", "abstract": "", "categories": [],
            "url": format!("https://arxiv.org/abs/{id}"), "file": null, "size": 0, "error": null,
        });
        PaperSummaryDraft {
            entry: serde_json::from_value(entry).unwrap(),
            summary: error
                .is_none()
                .then(|| serde_json::from_value(summary).unwrap()),
            error: error.map(Into::into),
        }
    }

    #[test]
    fn the_summaries_follow_the_text_and_papers_left_out_are_named() {
        let summaries = vec![
            summary("2101.00001", None),
            summary("2101.00002", Some("no text")),
        ];
        let enhanced = Enhanced::of(summaries, vec![]);
        assert_eq!(
            enhanced.text("Read 2101.00001 and 2101.00002.\n"),
            "Read 2101.00001 and 2101.00002.\n\n## Contextual Information and References\n\n\
             ### 1. Tides\n\n- arXiv: [2101.00001](https://arxiv.org/abs/2101.00001)\n- Authors: A. Low, B. High\n\
             - Date: 2021-01-01\n- Keywords: tide\n\n**Abstract.** The moon pulls.\n\n**Key findings**\n\n\
             - It pulls twice.\n\n**Data**\n\n- Ten gauges.\n\n*Left out: 2101.00002: no text.*\n"
        );
        assert!(
            enhanced
                .message()
                .ends_with("1 paper says about it. Left out: 2101.00002: no text.")
        );
        assert_eq!(enhanced.why_none(), None);
    }

    #[test]
    fn without_references_the_text_is_unchanged_and_the_message_says_so() {
        let enhanced = Enhanced::of(vec![], vec![]);
        assert_eq!(enhanced.text(" As it was. \n\n"), " As it was. \n\n");
        assert!(enhanced.message().contains("refers to no paper"));
        assert_eq!(enhanced.why_none(), None);
    }

    #[test]
    fn if_no_paper_was_summarised_the_reasons_are_given() {
        let enhanced = Enhanced::of(vec![summary("2101.00002", Some("no text"))], vec![]);
        assert_eq!(enhanced.why_none().as_deref(), Some("2101.00002: no text"));
    }
}
