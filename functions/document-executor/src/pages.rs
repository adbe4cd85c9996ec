//! The pages of a document: read by their text layer, or from an image where a page has none.
//!
//! A document stays open from one page to the next of a slice. The next slice opens it at the next
//! page. The draft of a page that cannot be read holds the reason.

use std::fmt;

use documents::reader::{
    Damage, Document, DocumentError, DocumentKind, PageText, Pages, RenderError,
};
use documents::{ArtifactError, ArtifactKey, ArtifactName};
use executor::{DocumentTaskError, billed, done, failure, inspected, temporary_failure};
use serde::{Deserialize, Serialize};
use session_manager::{Actor, ReadError};
use workflow::{DocumentName, DocumentTaskResult, StageFailure, Usage};

use crate::DocumentWorker;
use crate::local_file::LocalFile;
use crate::page_reader::PageReading;

/// The draft about the whole document.
const DOCUMENT: &str = "document.json";

/// The source of a text that the document itself contains.
const TEXT_LAYER: &str = "text_layer";

/// A document that is open at its next page.
#[derive(Debug)]
pub(super) struct OpenDocument {
    // Dropped before the file, which the child process has open.
    pages: Pages,
    next: u32,
    file: LocalFile,
}

/// The inspected document.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DocumentDraft {
    pub name: ArtifactName,
    pub kind: DocumentKind,
    pub pages: u32,
}

/// One page.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PageDraft {
    pub page: u32,
    /// `text_layer`, or the name of the engine; `None` if the page was not read.
    pub source: Option<String>,
    /// With an error it is a part of the page's text.
    pub text: String,
    /// Why it was not read, or not whole.
    pub error: Option<String>,
}

impl PageDraft {
    pub fn name(page: usize) -> String {
        format!("page_{page}.json")
    }

    /// A damaged page without any text was not read.
    fn read(page: u32, source: &str, text: String, damage: Option<Damage>) -> Self {
        match damage {
            Some(damage) if text.trim().is_empty() => Self::failed(page, &damage),
            damage => Self {
                page,
                source: Some(source.to_owned()),
                text,
                error: damage.map(|damage| damage.to_string()),
            },
        }
    }

    fn failed(page: u32, error: &impl fmt::Display) -> Self {
        Self {
            page,
            source: None,
            text: String::new(),
            error: Some(error.to_string()),
        }
    }

    /// Whether a part of the page was read.
    pub fn is_partial(&self) -> bool {
        self.error.is_some() && self.source.is_some()
    }

    /// Whether nothing of the page was read.
    pub fn is_failed(&self) -> bool {
        self.error.is_some() && self.source.is_none()
    }

    fn line(&self, pages: u32) -> String {
        let page = self.page;
        match (&self.error, self.source.as_deref()) {
            (Some(error), Some(_)) => format!("Page {page} of {pages} is read in part: {error}."),
            (Some(error), None) => format!("Page {page} of {pages} could not be read: {error}."),
            (None, Some(TEXT_LAYER) | None) => format!("Page {page} of {pages} is read."),
            (None, Some(engine)) => format!("Page {page} of {pages} is read by {engine}."),
        }
    }
}

impl DocumentWorker<'_> {
    /// Inspects the document (task 0) or reads a page.
    pub(super) async fn read_document(&mut self) -> Result<DocumentTaskResult, DocumentTaskError> {
        match self.task.index {
            0 => self.inspect_document().await,
            page => self.read_page(page).await,
        }
    }

    /// The document that the run was started with.
    pub(super) async fn inspected_document(&self) -> Result<DocumentDraft, StageFailure> {
        self.work_files().read(DOCUMENT).await
    }

    async fn inspect_document(&mut self) -> Result<DocumentTaskResult, DocumentTaskError> {
        let (name, file) = self.fetch().await?;
        let found = self.pages.reader.inspect(&file.path).await;
        let Document { kind, pages } = found.map_err(|error| unreadable(&error))?;
        let draft = DocumentDraft { name, kind, pages };
        self.work_files().write(DOCUMENT, &draft).await?;
        let count = match pages {
            1 => "1 page".into(),
            pages => format!("{pages} pages"),
        };
        let line = format!("{} is {kind} of {count}.", draft.name);
        Ok(inspected(
            line,
            usize::try_from(pages).unwrap_or(usize::MAX),
        ))
    }

    /// Copies the document to the local disk.
    async fn fetch(&self) -> Result<(ArtifactName, LocalFile), DocumentTaskError> {
        let named = self.settings.ocr.document.as_ref();
        let named = named.ok_or_else(|| missing("which was not named"))?;
        let name = named.name.clone();
        let files = self.files_of(named).await?;
        let file = LocalFile::new(&name.ending())?;
        let limit = self.pages.max_bytes;
        let key = ArtifactKey::Upload(name.clone());
        match files.download(&key, limit, &file.path).await {
            Ok(_) => Ok((name, file)),
            Err(ArtifactError::NotFound) => Err(missing(name.as_str()).into()),
            Err(ArtifactError::TooLarge { limit }) => {
                Err(refused(&DocumentError::TooLarge { limit }).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The files that contain the upload. Another session's files are used only if it has the same
    /// owner.
    async fn files_of(
        &self,
        named: &DocumentName,
    ) -> Result<documents::SessionFiles, DocumentTaskError> {
        let Some(other) = named.session else {
            return Ok(self.session_files());
        };
        let owner = &self.state.owner;
        let sessions = self.sessions;
        match sessions.state(other, &Actor::Client(owner.clone())).await {
            Ok(_) => Ok(self.artifacts.of(owner, other)),
            Err(ReadError::NoSuchSession) => Err(missing(named.name.as_str()).into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn read_page(&mut self, page: u32) -> Result<DocumentTaskResult, DocumentTaskError> {
        let mut usages = Vec::new();
        let draft = match self.text_layer(page).await? {
            Ok(layer) if layer.usable => {
                PageDraft::read(page, TEXT_LAYER, layer.text, layer.damage)
            }
            Ok(_) => self.read_image(page, &mut usages).await?,
            Err(error) => PageDraft::failed(page, &error),
        };
        self.work_files()
            .write(&PageDraft::name(page as usize), &draft)
            .await
            .map_err(billed(&usages))?;
        Ok(DocumentTaskResult {
            usages,
            ..done(draft.line(self.task.total))
        })
    }

    /// The text that the document itself has for a page, or why the page cannot be read.
    async fn text_layer(
        &mut self,
        page: u32,
    ) -> Result<Result<PageText, String>, DocumentTaskError> {
        let read = self.open_at(page).await?.pages.next().await;
        match read {
            Ok(Some(read)) if read.number == page => {
                if let Some(open) = self.open.as_mut() {
                    open.next = page + 1;
                }
                Ok(read.text.map_err(|error| error.to_string()))
            }
            Ok(_) => Ok(Err("the document has no such page".into())),
            Err(error) => {
                *self.open = None;
                if error.is_transient() && self.task.last_try {
                    return Ok(Err(error.to_string()));
                }
                Err(unreadable(&error))
            }
        }
    }

    /// Opens the document at a page, unless it is open there.
    async fn open_at(&mut self, page: u32) -> Result<&mut OpenDocument, DocumentTaskError> {
        let is_at_page = |open: &OpenDocument| open.next == page;
        let open = match self.open.take().filter(is_at_page) {
            Some(open) => open,
            None => {
                let (_, file) = self.fetch().await?;
                OpenDocument {
                    pages: self.pages.reader.pages(&file.path, page),
                    next: page,
                    file,
                }
            }
        };
        Ok(self.open.insert(open))
    }

    /// Reads a page from its image.
    async fn read_image(
        &mut self,
        page: u32,
        usages: &mut Vec<Usage>,
    ) -> Result<PageDraft, DocumentTaskError> {
        let Some(open) = self.open.as_mut() else {
            return Ok(PageDraft::failed(page, &"the document is closed"));
        };
        // The memory is enough for one of them at a time.
        open.pages.rest();
        let pages = self.pages;
        let image = match pages.image(&open.file.path, page).await {
            Ok(image) => image,
            Err(error) if self.tries_again(error.is_transient()) => {
                return Err(try_again(error.code(), &error));
            }
            // Earlier pages were read from the same document, so only this page is broken.
            Err(RenderError::Document(error)) => return Ok(PageDraft::failed(page, &error)),
            Err(RenderError::Page(error)) => return Ok(PageDraft::failed(page, &error)),
        };
        let request = self.request()?;
        let agents = self.agents;
        let deadline = self.deadline;
        match pages.read(&image, agents, request, deadline).await {
            PageReading::Text {
                text,
                by,
                usages: of_page,
            } => {
                usages.extend(of_page);
                Ok(PageDraft::read(page, &by, text, image.damage))
            }
            PageReading::NoTime => Err(DocumentTaskError::NO_TIME),
            PageReading::Failed(failed, retry_after) if self.tries_again(failed.retryable) => {
                Err(DocumentTaskError::Failed(failed, retry_after))
            }
            PageReading::Failed(failed, _) => {
                usages.extend(failed.usages);
                let why = failed.error.trim_end_matches('.').to_owned();
                Ok(PageDraft::failed(page, &why))
            }
        }
    }
}

/// A broken document ends the run; a failure of the reader does not.
fn unreadable(error: &DocumentError) -> DocumentTaskError {
    match error.is_transient() {
        true => try_again(error.code(), error),
        false => refused(error).into(),
    }
}

fn refused(error: &DocumentError) -> StageFailure {
    failure(error.code(), sentence(error))
}

fn try_again(code: &str, error: &impl fmt::Display) -> DocumentTaskError {
    temporary_failure(code, sentence(error)).into()
}

fn missing(name: &str) -> StageFailure {
    failure(
        "document_not_found",
        format!("There is no upload {name}: upload the document first."),
    )
}

/// Adds a capital letter and a full stop.
fn sentence(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use documents::reader::{Fault, Part};

    use super::*;

    fn broken_off() -> Damage {
        Damage {
            part: Part::Content,
            fault: Fault::BrokenOff,
        }
    }

    #[test]
    fn the_line_of_a_page_says_how_it_was_read_or_why_not() {
        for (draft, line) in [
            (
                PageDraft::read(3, TEXT_LAYER, String::new(), None),
                "Page 3 of 9 is read.",
            ),
            (
                PageDraft::read(3, "tesseract", String::new(), None),
                "Page 3 of 9 is read by tesseract.",
            ),
            (
                PageDraft::read(3, TEXT_LAYER, "The moon".into(), Some(broken_off())),
                "Page 3 of 9 is read in part: the page is damaged: its content breaks off.",
            ),
            (
                PageDraft::read(3, "tesseract", "\n".into(), Some(broken_off())),
                "Page 3 of 9 could not be read: the page is damaged: its content breaks off.",
            ),
            (
                PageDraft::failed(3, &"it is torn"),
                "Page 3 of 9 could not be read: it is torn.",
            ),
        ] {
            assert_eq!(draft.line(9), line);
        }
    }

    #[test]
    fn a_document_that_cannot_be_read_ends_the_run_with_a_sentence() {
        let failed = refused(&DocumentError::Empty);
        assert_eq!(
            (
                failed.code.as_str(),
                failed.error.as_str(),
                failed.retryable
            ),
            ("document_empty", "The document is empty.", false)
        );
    }
}
