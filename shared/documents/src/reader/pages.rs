//! One page after another. A page that its reader dies of fails alone; but a reader may also die of what the pages before
//! have left in its memory, so a page is blamed only when it was a child's first.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::process::Child;
use super::protocol::{Job, Line};
use super::{Death, Document, DocumentError, PageError, PageText, Reader};

/// The pages of a document, read as they are asked for. Dropping it ends the reading.
#[derive(Debug)]
pub struct Pages {
    reader: Reader,
    path: PathBuf,
    next: u32,
    document: Option<Document>,
    /// At work, and whether it has given a page yet.
    child: Option<(Child, bool)>,
    /// Spent on waiting for pages.
    spent: Duration,
}

/// A page, read or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The first is 1.
    pub number: u32,
    /// Its text layer. A page of a document that is an image has none, and its text is not usable.
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

    /// What the document is, once a page was asked for.
    pub fn document(&self) -> Option<Document> {
        self.document
    }

    /// The next page; none behind the last.
    ///
    /// # Errors
    /// [`DocumentError`], after which there are no more pages; those that came before are good.
    pub async fn next(&mut self) -> Result<Option<Page>, DocumentError> {
        let began = Instant::now();
        let page = self.read().await;
        self.spent += began.elapsed();
        page
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
                None => (self.open().await?, false),
            };
            if self
                .document
                .is_some_and(|document| self.next > document.pages)
            {
                continue;
            }
            let text = match child.line(limits.page_time.min(left)).await {
                Ok(Line::Page { number, text }) if number == self.next => {
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
