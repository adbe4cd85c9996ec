//! Iterates over the pages. A page that crashes its reader fails alone. Memory left by earlier
//! pages can also crash a reader, so a page counts as failed only if it was the first one of its
//! child.

use std::path::PathBuf;
use std::time::Duration;

use super::process::Child;
use super::protocol::{Job, ReaderReply};
use super::{Death, Document, DocumentError, PageError, PageText, Reader};

/// The pages of a document, read on demand. Dropping the value stops the reader.
#[derive(Debug)]
pub struct Pages {
    reader: Reader,
    path: PathBuf,
    next: u32,
    document: Option<Document>,
    /// The running child, and whether it has delivered a page.
    child: Option<(Child, bool)>,
    /// The time that the children took.
    spent: Duration,
}

/// A page with its text or its error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The first is 1.
    pub number: u32,
    /// The text layer. A page of an image document has an empty text that is not usable.
    pub text: Result<PageText, PageError>,
}

impl Pages {
    pub(super) fn new(reader: Reader, path: PathBuf, from: u32) -> Self {
        Self {
            reader,
            path,
            next: from.max(1),
            document: None,
            child: None,
            spent: Duration::ZERO,
        }
    }

    /// The document's kind and length, once a page was requested.
    pub fn document(&self) -> Option<Document> {
        self.document
    }

    /// Ends the child until the next page is wanted. Its memory is then free for another program.
    pub fn rest(&mut self) {
        self.child = None;
    }

    /// The next page; none after the last.
    ///
    /// # Errors
    /// [`DocumentError`]. It ends the iteration. Earlier pages remain valid.
    pub async fn next(&mut self) -> Result<Option<Page>, DocumentError> {
        self.read().await
    }

    async fn read(&mut self) -> Result<Option<Page>, DocumentError> {
        loop {
            if self
                .document
                .is_some_and(|document| self.next > document.pages)
            {
                self.child = None;
                return Ok(None);
            }
            let limits = self.reader.limits;
            let left = limits.time.saturating_sub(self.spent);
            if left.is_zero() {
                self.child = None;
                return Err(DocumentError::TookTooLong { limit: limits.time });
            }
            let (mut child, worn) = match self.child.take() {
                Some(child) => child,
                None => {
                    let child = self.open().await?;
                    self.spent += child.spent();
                    (child, false)
                }
            };
            if self
                .document
                .is_some_and(|document| self.next > document.pages)
            {
                continue;
            }
            let before = child.spent();
            let line = child.line(limits.page_time.min(left)).await;
            self.spent += child.spent() - before;
            let text = match line {
                Ok(ReaderReply::Page { number, text }) if number == self.next => {
                    self.child = Some((child, true));
                    text
                }
                Ok(_) => return Err(DocumentError::reader("a page came out of turn")),
                Err(Death::Memory | Death::Processor | Death::Document) if worn => continue,
                Err(death) => Err(death.of_page(&limits)?),
            };
            let number = self.next;
            self.next += 1;
            return Ok(Some(Page { number, text }));
        }
    }

    async fn open(&mut self) -> Result<Child, DocumentError> {
        let job = Job::Pages {
            path: self.path.clone(),
            from: self.next,
        };
        let (child, document) = self.reader.open(job).await?;
        self.document = Some(document);
        Ok(child)
    }
}
