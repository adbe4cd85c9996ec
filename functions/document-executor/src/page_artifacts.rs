//! The artifacts of a run of ocr, as its settings ask: `<stem>.md`, `<stem>.json`, `<stem>.txt`.

use std::fmt::Write as _;

use documents::ArtifactName;
use documents::reader::DocumentKind;
use executor::{DocumentTaskError, failure};
use serde::Serialize;
use workflow::DocumentTaskResult;

use crate::DocumentWorker;
use crate::pages::{DocumentDraft, PageDraft};

/// The most of a name that is kept, in bytes. An ending follows.
const MAX_STEM_BYTES: usize = 240;

/// How many failed pages a message names.
const SHOWN_FAILURES: usize = 10;

/// `<stem>.json`.
#[derive(Serialize)]
struct DocumentText<'a> {
    document: &'a str,
    kind: DocumentKind,
    total_pages: usize,
    /// The pages that were read whole.
    read: usize,
    /// The pages of which a part was read, because they are damaged.
    partial: usize,
    failed: usize,
    pages: &'a [PageDraft],
}

impl DocumentWorker<'_> {
    pub(super) async fn write_pages(&self) -> Result<DocumentTaskResult, DocumentTaskError> {
        let (files, document) = (self.work_files(), self.inspected_document().await?);
        let pages: Vec<PageDraft> = files
            .read_all(PageDraft::name, document.pages as usize)
            .await?;
        let text = DocumentText::of(&document, &pages);
        if text.read + text.partial == 0 {
            return Err(failure("no_page_read", text.why_none()).into());
        }
        let wanted = &self.settings.ocr;
        let mut artifacts = Vec::new();
        if wanted.save_markdown {
            let name = artifact_name(&document.name, "md");
            files.publish(&name, text.markdown()).await?;
            artifacts.push(name.into());
        }
        if wanted.save_json {
            let name: String = artifact_name(&document.name, "json").into();
            files.publish_json(&name, &text).await?;
            artifacts.push(name);
        }
        if wanted.save_text {
            let name = artifact_name(&document.name, "txt");
            files.publish(&name, text.text()).await?;
            artifacts.push(name.into());
        }
        Ok(DocumentTaskResult {
            message: Some(text.message()),
            line: format!("{} written.", count_artifacts(artifacts.len())),
            artifacts,
            ..DocumentTaskResult::default()
        })
    }
}

fn count_artifacts(count: usize) -> String {
    match count {
        0 => "No artifact was asked for, and none is".into(),
        1 => "1 artifact is".into(),
        count => format!("{count} artifacts are"),
    }
}

fn artifact_name(document: &ArtifactName, ending: &str) -> ArtifactName {
    let stem = document.stem();
    let stem = &stem[..stem.floor_char_boundary(MAX_STEM_BYTES)];
    let name = format!("{stem}.{ending}").parse();
    name.expect("a part of a valid name, with an ending, is a valid name")
}

impl<'a> DocumentText<'a> {
    fn of(document: &'a DocumentDraft, pages: &'a [PageDraft]) -> Self {
        let failed = pages.iter().filter(|page| page.is_failed()).count();
        let partial = pages.iter().filter(|page| page.is_partial()).count();
        Self {
            document: document.name.as_str(),
            kind: document.kind,
            total_pages: pages.len(),
            read: pages.len() - failed - partial,
            partial,
            failed,
            pages,
        }
    }

    /// All pages, each below a comment with its number; a failed page as a sentence. The text of a
    /// damaged page follows its sentence.
    fn markdown(&self) -> String {
        let mut text = String::new();
        for page in self.pages {
            let (number, told) = (page.page, page.text.trim());
            let _ = write!(text, "<!-- page {number} -->\n\n");
            let _ = match &page.error {
                None => write!(text, "{told}\n\n"),
                Some(error) if page.is_partial() => write!(
                    text,
                    "*Page {number} is read in part: {error}.*\n\n{told}\n\n"
                ),
                Some(error) => write!(text, "*Page {number} could not be read: {error}.*\n\n"),
            };
        }
        text
    }

    /// The text alone, with a form feed after each page, as `pdftotext` writes it. A damaged page
    /// begins with a sentence in brackets, because its text would look whole.
    fn text(&self) -> String {
        let mut text = String::new();
        for page in self.pages {
            if let Some(error) = page.error.as_ref().filter(|_| page.is_partial()) {
                let _ = writeln!(text, "[Page {} is read in part: {error}.]", page.page);
            }
            let _ = write!(text, "{}\n\u{c}", page.text.trim_end());
        }
        text
    }

    /// The message that ends the run.
    fn message(&self) -> String {
        let by_layer =
            self.count(|page| page.error.is_none() && page.source.as_deref() == Some("text_layer"));
        let by_image = self.read - by_layer;
        let mut message = format!(
            "{} of {} pages of {} are read: {by_layer} by their text layer, {by_image} from their image.",
            self.read, self.total_pages, self.document
        );
        if self.partial > 0 {
            let _ = write!(
                message,
                "\n\nRead in part: {}.",
                self.errors(PageDraft::is_partial)
            );
        }
        if self.failed > 0 {
            let _ = write!(
                message,
                "\n\nNot read: {}.",
                self.errors(PageDraft::is_failed)
            );
        }
        message
    }

    fn why_none(&self) -> String {
        format!(
            "No page of the document could be read ({}).",
            self.errors(PageDraft::is_failed)
        )
    }

    fn errors(&self, matches: fn(&PageDraft) -> bool) -> String {
        let pages = self.pages.iter().filter(|page| matches(page));
        let named = pages.filter_map(|page| {
            let error = page.error.as_ref()?;
            Some(format!("page {}: {error}", page.page))
        });
        let shown: Vec<String> = named.take(SHOWN_FAILURES).collect();
        let more = match self.count(matches) - shown.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        format!("{}{more}", shown.join("; "))
    }

    fn count(&self, matches: impl Fn(&PageDraft) -> bool) -> usize {
        self.pages.iter().filter(|page| matches(page)).count()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(page: u32, source: Option<&str>, error: Option<&str>) -> PageDraft {
        PageDraft {
            page,
            source: source.map(Into::into),
            text: source.map_or_else(String::new, |source| format!("By {source}.\n")),
            error: error.map(Into::into),
        }
    }

    fn document() -> DocumentDraft {
        DocumentDraft {
            name: "a report.pdf".parse().unwrap(),
            kind: DocumentKind::Pdf,
            pages: 3,
        }
    }

    #[test]
    fn every_artifact_names_a_failed_page() {
        let (document, pages) = (
            document(),
            [
                page(1, Some("text_layer"), None),
                page(2, Some("tesseract"), None),
                page(3, None, Some("it is torn")),
            ],
        );
        let text = DocumentText::of(&document, &pages);
        assert_eq!(
            text.markdown(),
            "<!-- page 1 -->\n\nBy text_layer.\n\n<!-- page 2 -->\n\nBy tesseract.\n\n\
             <!-- page 3 -->\n\n*Page 3 could not be read: it is torn.*\n\n"
        );
        assert_eq!(
            text.text(),
            "By text_layer.\n\u{c}By tesseract.\n\u{c}\n\u{c}"
        );
        assert_eq!(
            text.message(),
            "2 of 3 pages of a report.pdf are read: 1 by their text layer, 1 from their image.\n\n\
             Not read: page 3: it is torn."
        );
        let json = serde_json::to_value(&text).unwrap();
        assert_eq!((&json["read"], &json["failed"]), (&json!(2), &json!(1)));
        assert_eq!(json["pages"][1]["source"], "tesseract");
        assert_eq!(json["pages"][2]["error"], "it is torn");
    }

    #[test]
    fn every_artifact_marks_the_text_of_a_damaged_page() {
        let (document, pages) = (
            document(),
            [
                page(1, Some("text_layer"), Some("it is torn")),
                page(2, Some("text_layer"), None),
            ],
        );
        let text = DocumentText::of(&document, &pages);
        assert_eq!(
            text.markdown(),
            "<!-- page 1 -->\n\n*Page 1 is read in part: it is torn.*\n\nBy text_layer.\n\n\
             <!-- page 2 -->\n\nBy text_layer.\n\n"
        );
        assert_eq!(
            text.text(),
            "[Page 1 is read in part: it is torn.]\nBy text_layer.\n\u{c}By text_layer.\n\u{c}"
        );
        assert_eq!(
            text.message(),
            "1 of 2 pages of a report.pdf are read: 1 by their text layer, 0 from their image.\n\n\
             Read in part: page 1: it is torn."
        );
        let json = serde_json::to_value(&text).unwrap();
        assert_eq!(
            (&json["read"], &json["partial"], &json["failed"]),
            (&json!(1), &json!(1), &json!(0))
        );
        assert_eq!(json["pages"][0]["error"], "it is torn");
    }

    #[test]
    fn if_no_page_was_read_the_reasons_are_given() {
        let pages: Vec<PageDraft> = (1..=12).map(|n| page(n, None, Some("torn"))).collect();
        let document = document();
        let sentence = DocumentText::of(&document, &pages).why_none();
        assert!(sentence.contains("page 1: torn; page 2: torn"));
        assert!(sentence.ends_with("page 10: torn; and 2 more)."));
    }

    #[test]
    fn an_artifact_is_named_after_its_document() {
        let name = |document: &str| artifact_name(&document.parse().unwrap(), "md").to_string();
        assert_eq!(name("a report.v2.pdf"), "a report.v2.md");
        assert_eq!(name("scan"), "scan.md");
        assert!(name(&"é".repeat(255)).len() <= MAX_STEM_BYTES + 3);
    }
}
