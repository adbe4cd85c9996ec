//! Consumes the queues of documents: one message is one slice of a run, or of a purge.
//!
//! The loop is that of the crate `executor`. This crate brings the tasks that read documents and
//! fetch papers; with them it links the renderer of PDFs and needs the memory for it.

mod arxiv_slot;
mod download;
mod excerpt;
mod local_file;
mod page_artifacts;
mod page_reader;
mod pages;
mod paper_text;
mod papers;

use std::ops::Deref;

use executor::{DocumentTaskError, DocumentTasks, TaskContext};
use session::{Mode, Stage, Timestamp, WorkerKind};
use session_manager::ReadError;
use workflow::DocumentTaskResult;

pub use arxiv_slot::Papers;
pub use page_reader::PageReader;
use pages::OpenDocument;

/// The tasks of the worker for documents.
#[derive(Debug)]
pub struct ReaderTasks {
    /// Access to arXiv.
    pub papers: Papers,
    /// Reads documents and images of their pages.
    pub pages: PageReader,
}

/// The document that stays open from one page to the next.
#[derive(Debug, Default)]
pub struct Shared {
    open: Option<OpenDocument>,
}

impl DocumentTasks for ReaderTasks {
    const WORKER: WorkerKind = WorkerKind::Documents;

    type Shared = Shared;

    async fn take_place(&self) -> Result<Timestamp, ReadError> {
        self.papers.take_place().await
    }

    async fn work(
        &self,
        context: TaskContext<'_>,
        shared: &mut Shared,
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        let mut worker = DocumentWorker {
            context,
            papers: &self.papers,
            pages: &self.pages,
            open: &mut shared.open,
        };
        match (context.task.stage, context.state.mode) {
            (Stage::Extract, Mode::Ocr) => worker.read_document().await,
            (Stage::Extract, _) => worker.find_references().await,
            (Stage::Download, _) => worker.download().await,
            _ => worker.write_pages().await,
        }
    }
}

/// A task with all that it needs.
struct DocumentWorker<'a> {
    context: TaskContext<'a>,
    papers: &'a Papers,
    pages: &'a PageReader,
    open: &'a mut Option<OpenDocument>,
}

impl<'a> Deref for DocumentWorker<'a> {
    type Target = TaskContext<'a>;

    fn deref(&self) -> &TaskContext<'a> {
        &self.context
    }
}
