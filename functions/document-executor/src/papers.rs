//! What the downloads of a run leave as drafts, and how they become the artifact about all papers.

use std::collections::HashMap;

use documents::ArxivId;
use documents::arxiv::PaperMetadata;
use executor::{Downloads, PaperEntry, count_papers};
use serde::{Deserialize, Serialize};
use session::Timestamp;

/// The metadata of up to a hundred papers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct MetadataBatch {
    pub papers: Vec<PaperMetadata>,
    /// Ids that arXiv rejected as malformed.
    pub refused: Vec<ArxivId>,
    /// Why there is no metadata.
    pub error: Option<String>,
}

/// The download of one paper.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FetchedPaper {
    pub id: ArxivId,
    /// The version of the file, unless it is just the latest.
    #[serde(default)]
    pub version: Option<u32>,
    /// Whether the paper was withdrawn. A file is then its last version that has a PDF.
    #[serde(default)]
    pub withdrawn: bool,
    /// The artifact's name.
    pub file: Option<String>,
    pub size: usize,
    /// Why there is no file.
    pub error: Option<String>,
}

/// What came of the requests of one task so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Attempts {
    /// The requests without a usable reply.
    pub count: u32,
    /// Since when there has been no answer at all.
    pub unanswered_since: Option<Timestamp>,
    /// The version to ask for, after later ones were found to have no PDF.
    pub version: Option<u32>,
    /// Whether the paper is known to be withdrawn.
    pub withdrawn: bool,
}

impl Attempts {
    pub fn name(task: usize) -> String {
        format!("attempts_{task}.json")
    }
}

impl MetadataBatch {
    pub fn name(number: usize) -> String {
        format!("metadata_{number}.json")
    }

    /// One line for the record.
    pub fn line(&self, requested: usize) -> String {
        match &self.error {
            Some(error) => format!(
                "The metadata of {} did not come: {error}.",
                count_papers(requested)
            ),
            None => format!(
                "arXiv knows {} of {}.",
                self.papers.len(),
                count_papers(requested)
            ),
        }
    }
}

impl FetchedPaper {
    pub fn name(number: usize) -> String {
        format!("paper_{number}.json")
    }

    pub fn at(id: &ArxivId, file: String, size: usize) -> Self {
        Self {
            id: id.clone(),
            version: id.version(),
            withdrawn: false,
            file: Some(file),
            size,
            error: None,
        }
    }

    pub fn failed(id: &ArxivId, error: String) -> Self {
        Self {
            id: id.clone(),
            version: id.version(),
            withdrawn: false,
            file: None,
            size: 0,
            error: Some(error),
        }
    }

    pub fn line(&self) -> String {
        match &self.error {
            Some(error) => format!("{} could not be downloaded: {error}.", self.id),
            None => format!(
                "{}{} is downloaded: {} KB.",
                self.id,
                substitute(self.id.version(), self.version, self.withdrawn),
                self.size.div_ceil(1_000)
            ),
        }
    }
}

/// The artifact about all papers.
pub(super) fn downloads(batches: &[MetadataBatch], fetched: Vec<FetchedPaper>) -> Downloads {
    let known = batches.iter().flat_map(|batch| &batch.papers);
    let known: HashMap<&ArxivId, &PaperMetadata> = known.map(|paper| (&paper.id, paper)).collect();
    let entries = fetched.into_iter().map(|fetched| {
        let paper = known.get(&fetched.id).copied();
        entry(fetched, paper)
    });
    let papers: Vec<PaperEntry> = entries.collect();
    let downloaded = papers.iter().filter(|entry| entry.file.is_some()).count();
    Downloads {
        total: papers.len(),
        downloaded,
        failed: papers.len() - downloaded,
        papers,
    }
}

fn entry(fetched: FetchedPaper, paper: Option<&PaperMetadata>) -> PaperEntry {
    let FetchedPaper {
        id,
        version,
        withdrawn,
        file,
        size,
        error,
    } = fetched;
    let paper = paper.cloned();
    let published = paper.as_ref().and_then(|paper| paper.published);
    let described = paper.as_ref().and_then(|paper| paper.version);
    PaperEntry {
        version: version.or(described),
        withdrawn: withdrawn || paper.as_ref().is_some_and(|paper| paper.withdrawn),
        url: format!("https://arxiv.org/abs/{id}"),
        published: published.map_or_else(String::new, |time| time.to_string()),
        title: paper.as_ref().map_or_else(String::new, |p| p.title.clone()),
        abstract_text: paper
            .as_ref()
            .map_or_else(String::new, |p| p.abstract_text.clone()),
        authors: paper.as_ref().map_or_else(Vec::new, |p| p.authors.clone()),
        categories: paper.map_or_else(Vec::new, |p| p.categories),
        id,
        file,
        size,
        error,
    }
}

/// Says that a file is of another version than was asked for.
fn substitute(asked: Option<u32>, came: Option<u32>, withdrawn: bool) -> String {
    match (came, withdrawn) {
        (Some(version), true) if asked.is_none() => {
            format!(" was withdrawn; its last version with a PDF, v{version},")
        }
        (Some(version), false) if asked.is_none() => {
            format!(": the last version with a PDF, v{version},")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ArxivId {
        text.parse().unwrap()
    }

    fn batch() -> MetadataBatch {
        let paper = serde_json::json!({
            "id": "2101.00001", "title": "Tides", "authors": ["A. Low"], "published": "2021-01-01T00:00:00Z",
            "abstract": "The moon pulls.", "categories": ["physics.ao-ph"], "pdf_url": null, "withdrawn": false,
        });
        MetadataBatch {
            papers: vec![serde_json::from_value(paper).unwrap()],
            ..MetadataBatch::default()
        }
    }

    #[test]
    fn a_failed_paper_is_named_beside_the_downloaded_ones() {
        let fetched = vec![
            FetchedPaper::at(&id("2101.00001"), "2101.00001.pdf".into(), 12_345),
            FetchedPaper::failed(
                &id("hep-th/9901001"),
                "arXiv has no PDF of this paper".into(),
            ),
        ];
        assert_eq!(fetched[0].line(), "2101.00001 is downloaded: 13 KB.");
        let papers = downloads(&[batch()], fetched);
        assert_eq!(
            papers.message(),
            "1 of 2 papers downloaded.\n\n- 2101.00001: Tides\n\
             - hep-th/9901001: (not downloaded: arXiv has no PDF of this paper)"
        );
        let json = serde_json::to_value(&papers).unwrap();
        assert_eq!(json["papers"][0]["published"], "2021-01-01T00:00:00Z");
        assert_eq!(json["papers"][1]["title"], "");
        assert_eq!((papers.total, papers.failed), (2, 1));
    }

    #[test]
    fn a_withdrawn_paper_is_named_so_beside_its_last_pdf() {
        let fetched = FetchedPaper {
            version: Some(1),
            withdrawn: true,
            ..FetchedPaper::at(&id("2101.00001"), "2101.00001v1.pdf".into(), 12_345)
        };
        let line =
            "2101.00001 was withdrawn; its last version with a PDF, v1, is downloaded: 13 KB.";
        assert_eq!(fetched.line(), line);
        let papers = downloads(&[batch()], vec![fetched]);
        let named = "- 2101.00001: Tides (withdrawn; 2101.00001v1.pdf is its last PDF)";
        assert!(papers.message().ends_with(named), "{}", papers.message());
        let json = serde_json::to_value(&papers).unwrap();
        assert_eq!(json["papers"][0]["version"], 1);
        assert_eq!(json["papers"][0]["withdrawn"], true);
        // What an earlier version of this program has written stays readable.
        let mut old = json;
        for key in ["version", "withdrawn"] {
            old["papers"][0].as_object_mut().unwrap().remove(key);
        }
        assert!(serde_json::from_value::<Downloads>(old).is_ok());
    }

    #[test]
    fn without_references_the_metadata_is_empty() {
        let papers = downloads(&[], vec![]);
        let json = serde_json::to_value(&papers).unwrap();
        let empty = serde_json::json!({"total": 0, "downloaded": 0, "failed": 0, "papers": []});
        assert_eq!(json, empty);
        assert_eq!(
            papers.message(),
            "No paper was downloaded: the text refers to none."
        );
    }

    #[test]
    fn if_all_papers_failed_the_first_reasons_are_given() {
        let failed = |n: usize| FetchedPaper::failed(&id(&format!("2101.{n:05}")), "gone".into());
        let one = downloads(&[], vec![failed(1)]);
        let sentence = "Of 1 paper none could be downloaded (2101.00001: gone).";
        assert_eq!(one.why_none(), sentence);
        let many = downloads(&[], (1..=9).map(failed).collect());
        assert!(many.why_none().ends_with("2101.00003: gone; …)."));
    }
}
