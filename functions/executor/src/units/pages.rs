//! Pages of a document: the text layer first, an OCR engine for a page without one.
//!
//! A document stays open from one page to the next of a slice; the next slice opens it at its own page. A page that cannot
//! be read is a draft that says why.

use std::fmt;
use std::path::PathBuf;

use documents::reader::{
    Document as Opened, DocumentError, DocumentKind, PageText, Pages, RenderError,
};
use documents::{ArtifactError, ArtifactKey, ArtifactName};
use serde::{Deserialize, Serialize};
use session_manager::{Actor, ReadError};
use workflow::{DocumentName, DocumentTaskResult, StageFailure, Usage};

use super::folder::Folder;
use super::ocr::{PageReader, Seen};
use super::{DocumentTaskError, DocumentWorker, done, failure, look, storage};

/// What the whole document is.
const DOCUMENT: &str = "document.json";

/// How the record calls a text that was in the document itself.
const TEXT_LAYER: &str = "text_layer";

/// What a slice keeps of a document between its pages.
#[derive(Debug, Default)]
pub(crate) struct OpenDocuments(Option<OpenDocument>);

#[derive(Debug)]
struct OpenDocument {
    // The folder goes last: its document is still open in the child.
    pages: Pages,
    next: u32,
    path: PathBuf,
    _folder: Folder,
}

/// What the look at a document found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DocumentDraft {
    pub name: ArtifactName,
    pub kind: DocumentKind,
    pub pages: u32,
}

/// One page, as it was read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PageDraft {
    pub page: u32,
    /// `text_layer`, or what the engine is called; none where the page was not read.
    pub source: Option<String>,
    pub text: String,
    /// Why it was not read.
    pub error: Option<String>,
}

impl PageDraft {
    pub fn name(page: usize) -> String {
        format!("page_{page}.json")
    }

    fn read(page: u32, source: &str, text: String) -> Self {
        Self {
            page,
            source: Some(source.to_owned()),
            text,
            error: None,
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

    fn line(&self, pages: u32) -> String {
        let page = self.page;
        match (&self.error, self.source.as_deref()) {
            (Some(error), _) => format!("Page {page} of {pages} could not be read: {error}."),
            (None, Some(TEXT_LAYER) | None) => format!("Page {page} of {pages} is read."),
            (None, Some(engine)) => format!("Page {page} of {pages} is read by {engine}."),
        }
    }
}

impl DocumentWorker<'_> {
    /// The look at the document; then a page each.
    pub(super) async fn read_document(&mut self) -> Result<DocumentTaskResult, DocumentTaskError> {
        match self.document.index {
            0 => self.look_at_document().await,
            page => self.read_page(page).await,
        }
    }

    /// The upload that the run was started with.
    pub(super) async fn upload(&self) -> Result<DocumentDraft, StageFailure> {
        self.drafts().read(DOCUMENT).await
    }

    async fn look_at_document(&mut self) -> Result<DocumentTaskResult, DocumentTaskError> {
        let (name, path, _folder) = self.fetch().await?;
        let found = self.executor.pages.reader.inspect(&path).await;
        let Opened { kind, pages } = found.map_err(|error| unreadable(&error))?;
        let draft = DocumentDraft { name, kind, pages };
        self.drafts().write(DOCUMENT, &draft).await?;
        let count = match pages {
            1 => "1 page".into(),
            pages => format!("{pages} pages"),
        };
        let line = format!("{} is {kind} of {count}.", draft.name);
        Ok(look(line, usize::try_from(pages).unwrap_or(usize::MAX)))
    }

    /// The document as a file of this machine.
    async fn fetch(&self) -> Result<(ArtifactName, PathBuf, Folder), DocumentTaskError> {
        let named = self.settings.ocr.document.as_ref();
        let named = named.ok_or_else(|| missing("which was not named"))?;
        let name: ArtifactName = named.name.parse().map_err(|_| missing(&named.name))?;
        let files = self.files_of(named).await?;
        let folder = Folder::new()
            .map_err(ArtifactError::Local)
            .map_err(storage)?;
        let path = folder.file(&name.ending());
        let limit = self.executor.pages.max_bytes;
        let place = ArtifactKey::Upload(name.clone());
        match files.download(&place, limit, &path).await {
            Ok(_) => Ok((name, path, folder)),
            Err(ArtifactError::NotFound) => Err(missing(&named.name).into()),
            Err(ArtifactError::TooLarge { limit }) => {
                Err(refused(&DocumentError::TooLarge { limit }).into())
            }
            Err(error) => Err(storage(error)),
        }
    }

    /// The folder that the upload stands in: another session's only if it is the owner's, and there.
    async fn files_of(
        &self,
        named: &DocumentName,
    ) -> Result<documents::SessionFiles, DocumentTaskError> {
        let Some(other) = named.session else {
            return Ok(self.files());
        };
        let owner = &self.state.owner;
        let sessions = &self.executor.sessions;
        match sessions.state(other, &Actor::Client(owner.clone())).await {
            Ok(_) => Ok(self.executor.artifacts.of(owner, other)),
            Err(ReadError::NoSuchSession) => Err(missing(&named.name).into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn read_page(&mut self, page: u32) -> Result<DocumentTaskResult, DocumentTaskError> {
        let mut usages = Vec::new();
        let draft = match self.text_layer(page).await? {
            Ok(layer) if layer.usable => PageDraft::read(page, TEXT_LAYER, layer.text),
            Ok(_) => self.see(page, &mut usages).await?,
            Err(error) => PageDraft::failed(page, &error),
        };
        self.drafts()
            .write(&PageDraft::name(page as usize), &draft)
            .await?;
        Ok(DocumentTaskResult {
            usages,
            ..done(draft.line(self.document.total))
        })
    }

    /// What the document itself says of a page, or why the page cannot be read.
    async fn text_layer(
        &mut self,
        page: u32,
    ) -> Result<Result<PageText, String>, DocumentTaskError> {
        let read = self.open_at(page).await?.pages.next().await;
        match read {
            Ok(Some(read)) if read.number == page => {
                if let Some(open) = &mut self.documents.0 {
                    open.next = page + 1;
                }
                Ok(read.text.map_err(|error| error.to_string()))
            }
            Ok(_) => Ok(Err("the document has no such page".into())),
            Err(error) => {
                self.documents.0 = None;
                if error.is_transient() && self.document.last_try {
                    return Ok(Err(error.to_string()));
                }
                Err(unreadable(&error))
            }
        }
    }

    /// The document, open at a page.
    async fn open_at(&mut self, page: u32) -> Result<&mut OpenDocument, DocumentTaskError> {
        let is_there = |open: &OpenDocument| open.next == page;
        let open = match self.documents.0.take().filter(is_there) {
            Some(open) => open,
            None => {
                let (_, path, folder) = self.fetch().await?;
                OpenDocument {
                    pages: self.executor.pages.reader.pages(&path, page),
                    next: page,
                    path,
                    _folder: folder,
                }
            }
        };
        Ok(self.documents.0.insert(open))
    }

    /// The page as an image, read by whoever reads images.
    async fn see(
        &self,
        page: u32,
        usages: &mut Vec<Usage>,
    ) -> Result<PageDraft, DocumentTaskError> {
        let Some(open) = &self.documents.0 else {
            return Ok(PageDraft::failed(page, &"the document is closed"));
        };
        let pages: &PageReader = &self.executor.pages;
        let image = match pages.image(&open.path, page).await {
            Ok(image) => image,
            Err(error) if self.is_worth_a_try(error.is_transient()) => {
                return Err(again(error.code(), &error));
            }
            // The document was opened for the pages before, so it is this page's fault.
            Err(RenderError::Document(error)) => return Ok(PageDraft::failed(page, &error)),
            Err(RenderError::Page(error)) => return Ok(PageDraft::failed(page, &error)),
        };
        let request = self.request()?;
        let agents = &self.executor.agents;
        let deadline = self.deadline;
        match pages.read(&image, agents, request, deadline).await {
            Seen::Text { text, by, usage } => {
                usages.extend(usage);
                Ok(PageDraft::read(page, &by, text))
            }
            Seen::NoTime => Err(DocumentTaskError::NoTime),
            Seen::Failed(failed, retry_after) if self.is_worth_a_try(failed.retryable) => {
                Err(DocumentTaskError::Failed(failed, retry_after))
            }
            Seen::Failed(failed, _) => {
                usages.extend(failed.usages);
                let why = failed.error.trim_end_matches('.').to_owned();
                Ok(PageDraft::failed(page, &why))
            }
        }
    }
}

/// What is wrong with the whole document ends the run, unless it was the reader's own trouble.
fn unreadable(error: &DocumentError) -> DocumentTaskError {
    match error.is_transient() {
        true => again(error.code(), error),
        false => refused(error).into(),
    }
}

fn refused(error: &DocumentError) -> StageFailure {
    failure(error.code(), sentence(error))
}

fn again(code: &str, error: &impl fmt::Display) -> DocumentTaskError {
    let failed = StageFailure {
        retryable: true,
        ..failure(code, sentence(error))
    };
    failed.into()
}

fn missing(name: &str) -> StageFailure {
    failure(
        "document_not_found",
        format!("There is no upload {name}: upload the document first."),
    )
}

/// With a large letter and a full stop.
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
    use super::*;

    #[test]
    fn a_page_says_how_it_was_read_or_why_not() {
        for (draft, line) in [
            (
                PageDraft::read(3, TEXT_LAYER, String::new()),
                "Page 3 of 9 is read.",
            ),
            (
                PageDraft::read(3, "tesseract", String::new()),
                "Page 3 of 9 is read by tesseract.",
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
