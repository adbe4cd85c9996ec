//! Summaries of the downloaded papers. An agent summarises the text of one paper at a time.
//!
//! A paper without text, or whose summary fails, is named and left out.

use std::path::Path;
use std::time::Instant;

use agents::{Content, PaperBrief, PaperSummary};
use documents::ArtifactKey;
use documents::reader::DocumentError;
use serde::{Deserialize, Serialize};
use workflow::{AgentRequest, DocumentTaskResult, StageFailure};

use super::papers::{Downloads, PaperEntry, count_papers};
use super::work_files::{LocalFile, fixed_name, unreadable};
use super::{
    DocumentTaskError, DocumentWorker, billed, done, excerpt, failure, inspected,
    temporary_failure, was_not_called,
};

/// The most pages of a paper that are read. A thesis is longer and gives its results in the first
/// pages.
const MAX_PAGES: u32 = 200;

/// The most of a paper's text that is kept in memory before it is shortened for a model.
const MAX_TEXT_BYTES: usize = 4 << 20;

/// The summary of one paper.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PaperSummaryDraft {
    pub entry: PaperEntry,
    pub summary: Option<PaperSummary>,
    /// Why there is no summary.
    pub error: Option<String>,
}

impl PaperSummaryDraft {
    pub fn name(number: usize) -> String {
        format!("summary_{number}.json")
    }

    fn line(&self) -> String {
        let id = &self.entry.id;
        match &self.error {
            Some(error) => format!("{id} is left out: {error}."),
            None => format!("{id} is summarised."),
        }
    }
}

impl DocumentWorker<'_> {
    pub(super) async fn summarize(&self) -> Result<DocumentTaskResult, DocumentTaskError> {
        let downloads = self.downloads().await?;
        let with_pdf: Vec<PaperEntry> = downloads
            .papers
            .into_iter()
            .filter(|entry| entry.file.is_some())
            .collect();
        let number = self.number();
        if number == 0 {
            let line = match with_pdf.len() {
                0 => "There is no paper to summarise.".into(),
                count => format!("{} to summarise.", count_papers(count)),
            };
            return Ok(inspected(line, with_pdf.len()));
        }
        let entry = with_pdf.into_iter().nth(number - 1);
        let entry = entry.ok_or_else(|| unreadable(Downloads::ARTIFACT))?;
        self.summarize_paper(number, entry).await
    }

    /// The result of the download stage.
    pub(super) async fn downloads(&self) -> Result<Downloads, StageFailure> {
        self.work_files().read_published(Downloads::ARTIFACT).await
    }

    async fn summarize_paper(
        &self,
        number: usize,
        entry: PaperEntry,
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        let began = Instant::now();
        let (summary, usages) = match self.text_of(&entry).await? {
            Ok(text) => self.ask_summarizer(&entry, text, began).await?,
            Err(reason) => (Err(reason), Vec::new()),
        };
        let (summary, error) = match summary {
            Ok(summary) => (Some(summary), None),
            Err(error) => (None, Some(error)),
        };
        let draft = PaperSummaryDraft {
            entry,
            summary,
            error,
        };
        self.work_files()
            .write(&PaperSummaryDraft::name(number), &draft)
            .await
            .map_err(billed(&usages))?;
        Ok(DocumentTaskResult {
            usages,
            ..done(draft.line())
        })
    }

    /// The text of a paper, or why there is none.
    async fn text_of(
        &self,
        entry: &PaperEntry,
    ) -> Result<Result<String, String>, DocumentTaskError> {
        let file = LocalFile::new("pdf")?;
        let name = entry.file.as_deref().unwrap_or_default();
        let key = ArtifactKey::Run(self.run, fixed_name(name));
        let limit = self.executor.papers.max_pdf_bytes;
        let files = self.session_files();
        files.download(&key, limit, &file.path).await?;
        match self.read_text(&file.path).await {
            Ok(text) if text.trim().is_empty() => Ok(Err("it has no text that can be read".into())),
            Ok(text) => Ok(Ok(excerpt::shorten(&text, self.executor.papers.window))),
            Err(error) if self.tries_again(error.is_transient()) => Err(try_again(&error)),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// The text of all pages that have a text layer. What is missing from it is said first.
    async fn read_text(&self, path: &Path) -> Result<String, DocumentError> {
        let mut missing = String::new();
        let text = self.read_pages(path, &mut missing).await?;
        Ok(match text.trim().is_empty() {
            true => text,
            false => missing + &text,
        })
    }

    async fn read_pages(&self, path: &Path, missing: &mut String) -> Result<String, DocumentError> {
        let mut pages = self.executor.pages.reader.pages(path, 1);
        let mut text = String::new();
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Err(error) if text.is_empty() => return Err(error),
                Ok(None) => return Ok(text),
                // The pages before the broken one are kept.
                Err(error) => {
                    missing.push_str(&format!("[The paper is read in part: {error}.]\n"));
                    return Ok(text);
                }
            };
            let damage = match page.text {
                Ok(layer) => {
                    if layer.usable {
                        text.push_str(&layer.text);
                        text.push('\n');
                    }
                    layer.damage.map(|damage| damage.to_string())
                }
                Err(error) => Some(error.to_string()),
            };
            if let Some(damage) = damage {
                missing.push_str(&format!("[Page {}: {damage}.]\n", page.number));
            }
            if page.number >= MAX_PAGES || text.len() >= MAX_TEXT_BYTES {
                return Ok(text);
            }
        }
    }

    /// The summary, or why there is none, and the usages that were paid for.
    async fn ask_summarizer(
        &self,
        entry: &PaperEntry,
        text: String,
        began: Instant,
    ) -> Result<(Result<PaperSummary, String>, Vec<workflow::Usage>), DocumentTaskError> {
        let request = self.request()?;
        let (paper, deadline) = (paper(entry, text), self.deadline.instant());
        let asked = self.executor.agents.summarize(request, &paper, deadline);
        match asked.await {
            Ok(answer) => match answer.content {
                Content::PaperSummary(summary) => Ok((Ok(summary), answer.usages)),
                _ => Ok((Err("its summary is of another form".into()), answer.usages)),
            },
            // If reading the paper took the time, no invocation has time for its summary: a
            // failure.
            Err(error)
                if was_not_called(&error) && began.elapsed() < self.executor.papers.margin =>
            {
                Err(DocumentTaskError::NoTime)
            }
            Err(error) if self.tries_again(error.is_worth_a_new_invocation()) => {
                let retry_after = error.retry_after().unwrap_or_default();
                Err(DocumentTaskError::Failed(error.into(), retry_after))
            }
            Err(error) => {
                let why = error.for_client().trim_end_matches('.').to_owned();
                Ok((Err(format!("no summary came of it ({why})")), error.usages))
            }
        }
    }

    /// The request to the task's agent.
    pub(super) fn request(&self) -> Result<&AgentRequest, StageFailure> {
        let request = self.task.request.as_deref();
        request.ok_or_else(|| failure("record_incomplete", "The record does not say whom to ask."))
    }
}

fn paper(entry: &PaperEntry, text: String) -> PaperBrief {
    PaperBrief {
        id: entry.id.to_string(),
        title: entry.title.clone(),
        authors: entry.authors.clone(),
        published: entry.published.clone(),
        abstract_text: entry.abstract_text.clone(),
        text,
    }
}

fn try_again(error: &DocumentError) -> DocumentTaskError {
    let sentence = format!("The paper could not be read: {error}.");
    temporary_failure(error.code(), sentence).into()
}
