//! What is known about the papers of a run, for the worker that downloads them and for the one that
//! summarises them.

use documents::ArxivId;
use serde::{Deserialize, Serialize};

/// How many reasons a sentence gives.
const SHOWN_REASONS: usize = 3;

/// `arxiv_download_metadata.json`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Downloads {
    /// How many papers the task refers to.
    pub total: usize,
    /// Those with a PDF.
    pub downloaded: usize,
    /// Those without.
    pub failed: usize,
    /// All of them, in the order of the task.
    pub papers: Vec<PaperEntry>,
}

/// A paper in it. What arXiv didn't tell is empty.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaperEntry {
    /// As the task named it, with or without a version.
    pub id: ArxivId,
    /// The version of the file, as far as it is known.
    #[serde(default)]
    pub version: Option<u32>,
    /// Whether the paper was withdrawn. A file is then its last version that has a PDF.
    #[serde(default)]
    pub withdrawn: bool,
    /// The title.
    pub title: String,
    /// The authors.
    pub authors: Vec<String>,
    /// When it was published.
    pub published: String,
    /// The abstract.
    #[serde(rename = "abstract")]
    pub abstract_text: String,
    /// arXiv's categories.
    pub categories: Vec<String>,
    /// The page about it.
    pub url: String,
    /// The artifact's name.
    pub file: Option<String>,
    /// The size of the file, in bytes.
    pub size: usize,
    /// Why there is no PDF.
    pub error: Option<String>,
}

/// The draft with a downloaded paper's text, for its summary.
#[derive(Debug, Serialize, Deserialize)]
pub struct PaperText {
    /// As much of it as a model is sent; empty with an error.
    pub text: String,
    /// Why there is no text.
    pub error: Option<String>,
}

impl PaperText {
    /// The draft's name, from that of the PDF.
    pub fn name(file: &str) -> String {
        format!("text_{file}.json")
    }
}

impl Downloads {
    /// The artifact's name.
    pub const ARTIFACT: &'static str = "arxiv_download_metadata.json";

    /// One line for the record.
    pub fn line(&self) -> String {
        match self.total {
            0 => "No paper was downloaded: the text refers to none.".into(),
            total => format!("{} of {} downloaded.", self.downloaded, count_papers(total)),
        }
    }

    /// The message that ends the run.
    pub fn message(&self) -> String {
        let entries = self.papers.iter().map(|entry| {
            let title = match entry.title.as_str() {
                "" => String::new(),
                title => format!(" {title}"),
            };
            match &entry.error {
                None if entry.withdrawn => {
                    let file = entry.file.as_deref().unwrap_or_default();
                    format!("- {}:{title} (withdrawn; {file} is its last PDF)", entry.id)
                }
                None => format!("- {}:{title}", entry.id),
                Some(error) => format!("- {}:{title} (not downloaded: {error})", entry.id),
            }
        });
        let lines: Vec<String> = entries.collect();
        [self.line(), lines.join("\n")]
            .join("\n\n")
            .trim_end()
            .to_owned()
    }

    /// Why no paper was downloaded, by the first reasons.
    pub fn why_none(&self) -> String {
        let reasons = self.papers.iter().filter_map(|entry| {
            let error = entry.error.as_ref()?;
            Some(format!("{}: {error}", entry.id))
        });
        let reasons: Vec<String> = reasons.take(SHOWN_REASONS).collect();
        let more = match self.failed - reasons.len() {
            0 => "",
            _ => "; …",
        };
        let count = count_papers(self.total);
        format!(
            "Of {count} none could be downloaded ({}{more}).",
            reasons.join("; ")
        )
    }
}

/// A number of papers, in words.
pub fn count_papers(count: usize) -> String {
    match count {
        1 => "1 paper".into(),
        count => format!("{count} papers"),
    }
}
