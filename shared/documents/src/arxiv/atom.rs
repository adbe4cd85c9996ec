//! Parses the feed of the API (the user's manual, section 3.3) into papers.
//!
//! The feed has its own order. It omits a paper that does not exist or has an entry without an id
//! for it, so missing papers follow only from the requested ids. An error is an entry too, with an
//! id under `/api/errors` (section 3.4).

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ArxivError;
use crate::ArxivId;

/// The result for one id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The paper's metadata.
    Paper(PaperMetadata),
    /// arXiv has no such paper.
    NotFound(ArxivId),
}

/// The metadata of a version of a paper, the latest unless another was requested. White space in
/// texts is normalised to single spaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperMetadata {
    /// The id as it was requested.
    pub id: ArxivId,
    /// The version that this describes.
    #[serde(default)]
    pub version: Option<u32>,
    /// May contain TeX.
    pub title: String,
    /// In the paper's order.
    pub authors: Vec<String>,
    /// The date of the first version.
    pub published: Option<Timestamp>,
    /// May contain TeX.
    #[serde(rename = "abstract")]
    pub abstract_text: String,
    /// The primary category first: `cs.CL`, `hep-th`. MSC and ACM classes are included.
    pub categories: Vec<String>,
    /// The address of the PDF according to arXiv.
    pub pdf_url: Option<String>,
    /// Whether the authors or arXiv have withdrawn the paper. Then it has no PDF.
    pub withdrawn: bool,
}

/// The enum accepts a feed only; for a struct, quick-xml ignores the name of the root element.
#[derive(Deserialize)]
enum AtomDocument {
    #[serde(rename = "feed")]
    Feed(Feed),
}

#[derive(Deserialize)]
struct Feed {
    #[serde(rename = "totalResults", default)]
    total: u64,
    #[serde(rename = "entry", default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    id: String,
    title: String,
    summary: String,
    published: String,
    comment: String,
    #[serde(rename = "author")]
    authors: Vec<Author>,
    #[serde(rename = "link")]
    links: Vec<Link>,
    primary_category: Term,
    #[serde(rename = "category")]
    categories: Vec<Term>,
}

#[derive(Deserialize)]
struct Author {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Link {
    #[serde(rename = "@title", default)]
    title: String,
    #[serde(rename = "@href", default)]
    href: String,
}

#[derive(Deserialize, Default)]
struct Term {
    #[serde(rename = "@term", default)]
    term: String,
}

/// One result for each of `ids`.
pub(super) fn read(ids: &[ArxivId], body: &[u8]) -> Result<Vec<Found>, ArxivError> {
    let text = std::str::from_utf8(body).map_err(|_| ArxivError::Garbled)?;
    let AtomDocument::Feed(feed) =
        quick_xml::de::from_str(text).map_err(|_| ArxivError::Garbled)?;
    if feed.entries.is_empty() && feed.total > 0 {
        return Err(ArxivError::Garbled);
    }
    let mut papers = Vec::new();
    for entry in feed.entries {
        if let Some((_, code)) = entry.id.split_once("/api/errors") {
            return Err(ArxivError::Refused(refused(code)));
        }
        if let Some(paper) = entry.into_paper() {
            papers.push(paper);
        }
    }
    let found = |id: &ArxivId| {
        let versions = papers.iter().filter(|paper| paper.id == id.paper());
        // The entry of a version that was requested beside the paper may be an older one.
        let fits = |paper: &&PaperMetadata| id.version().is_none_or(|it| paper.version == Some(it));
        match versions.filter(fits).max_by_key(|paper| paper.version) {
            Some(paper) => Found::Paper(PaperMetadata {
                id: id.clone(),
                ..paper.clone()
            }),
            None => Found::NotFound(id.clone()),
        }
    };
    Ok(ids.iter().map(found).collect())
}

/// The id in `#incorrect_id_format_for_1234.12345`.
fn refused(code: &str) -> Option<ArxivId> {
    code.rsplit_once('_')?.1.parse().ok()
}

impl Entry {
    /// None for the placeholder entry of a paper that does not exist.
    fn into_paper(self) -> Option<PaperMetadata> {
        let (_, id) = self.id.split_once("/abs/")?;
        let id: ArxivId = id.trim().parse().ok()?;
        let authors = self
            .authors
            .iter()
            .map(|author| single_spaced(&author.name));
        let pdf = self.links.into_iter().find(|link| link.title == "pdf");
        let (comment, abstract_text) = (single_spaced(&self.comment), single_spaced(&self.summary));
        Some(PaperMetadata {
            id: id.paper(),
            version: id.version(),
            title: single_spaced(&self.title),
            authors: authors.collect(),
            published: self.published.trim().parse().ok(),
            withdrawn: says_withdrawn(&comment) || says_withdrawn(&abstract_text),
            abstract_text,
            categories: primary_first(self.primary_category, self.categories),
            pdf_url: pdf.map(|link| link.href),
        })
    }
}

fn primary_first(primary: Term, all: Vec<Term>) -> Vec<String> {
    let mut terms = vec![primary.term];
    terms.extend(all.into_iter().map(|category| category.term));
    let mut seen = HashSet::new();
    terms.retain(|term| !term.is_empty() && seen.insert(term.clone()));
    terms
}

/// arXiv has no field for a withdrawal. A comment, or an abstract that replaces the paper's own,
/// begins like "This paper has been withdrawn by the author". Later in the text the word may refer
/// to anything.
pub(super) fn says_withdrawn(text: &str) -> bool {
    let mut beginning = text.split(' ').take(8);
    beginning.any(|word| word.to_lowercase().starts_with("withdrawn"))
}

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_withdrawn_in_an_abstract_is_no_withdrawal() {
        for text in [
            "This paper has been withdrawn by the author due to a crucial sign error",
            "Withdrawn: an error in section 2",
            "This submission has been withdrawn by arXiv administrators",
        ] {
            assert!(says_withdrawn(text), "{text}");
        }
        for text in [
            "",
            "12 pages",
            "We study why, after years on the market, drugs are withdrawn.",
        ] {
            assert!(!says_withdrawn(text), "{text}");
        }
    }
}
