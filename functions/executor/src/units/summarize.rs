//! Summaries of the papers that were downloaded: the text of one, an agent's answer, a draft.
//!
//! A paper without text, or whose summary fails, is named and left out; the others go on.

use std::path::Path;
use std::time::Instant;

use agents::{Content, Paper, PaperSummary};
use documents::reader::DocumentError;
use documents::{ArtifactError, ArtifactKey};
use serde::{Deserialize, Serialize};
use workflow::{AgentRequest, DocumentTaskResult, StageFailure};

use super::arxiv::papers;
use super::folder::Folder;
use super::metadata::{Downloads, PaperEntry};
use super::{
    DocumentTaskError, DocumentWorker, done, drafts, failure, look, nothing_was_tried, sections,
    storage,
};
use crate::translate;

/// The most pages of a paper that are read: a thesis is longer, and says what it found in the first of them.
const MAX_PAGES: u32 = 200;

/// The most of a paper's text that is held, before it is cut to what a model can read.
const MAX_TEXT_BYTES: usize = 4 << 20;

/// What came of one paper.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PaperSummaryDraft {
    pub entry: PaperEntry,
    pub summary: Option<PaperSummary>,
    /// Why there is none.
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
        let number = self.document.index as usize;
        if number == 0 {
            let line = match with_pdf.len() {
                0 => "There is no paper to summarise.".into(),
                count => format!("{} to summarise.", papers(count)),
            };
            return Ok(look(line, with_pdf.len()));
        }
        let entry = with_pdf.into_iter().nth(number - 1);
        let entry = entry.ok_or_else(|| drafts::lost(Downloads::ARTIFACT))?;
        self.summarize_paper(number, entry).await
    }

    /// What the download brought.
    pub(super) async fn downloads(&self) -> Result<Downloads, StageFailure> {
        self.drafts().read_published(Downloads::ARTIFACT).await
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
        self.drafts()
            .write(&PaperSummaryDraft::name(number), &draft)
            .await?;
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
        let folder = Folder::new()
            .map_err(ArtifactError::Local)
            .map_err(storage)?;
        let path = folder.file("pdf");
        let name = entry.file.as_deref().unwrap_or_default();
        let place = ArtifactKey::Run(self.run, drafts::named(name));
        let limit = self.executor.papers.max_pdf_bytes;
        self.files()
            .download(&place, limit, &path)
            .await
            .map_err(storage)?;
        match self.read_text(&path).await {
            Ok(text) if text.trim().is_empty() => Ok(Err("it has no text that can be read".into())),
            Ok(text) => Ok(Ok(sections::cut(&text, self.executor.papers.window))),
            Err(error) if self.is_worth_a_try(error.is_transient()) => Err(again(&error)),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// The pages of a paper that have text.
    async fn read_text(&self, path: &Path) -> Result<String, DocumentError> {
        let mut pages = self.executor.pages.reader.pages(path, 1);
        let mut text = String::new();
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Err(error) if text.is_empty() => return Err(error),
                // What came before is good.
                Ok(None) | Err(_) => return Ok(text),
            };
            if let Some(layer) = page.text.ok().filter(|layer| layer.usable) {
                text.push_str(&layer.text);
                text.push('\n');
            }
            if page.number >= MAX_PAGES || text.len() >= MAX_TEXT_BYTES {
                return Ok(text);
            }
        }
    }

    /// The summary, or why there is none; and what was paid for.
    async fn ask_summarizer(
        &self,
        entry: &PaperEntry,
        text: String,
        began: Instant,
    ) -> Result<(Result<PaperSummary, String>, Vec<workflow::Usage>), DocumentTaskError> {
        let request = self.request()?;
        let mut call =
            translate::call(request, &[]).map_err(|unknown| translate::unknown_agent(&unknown))?;
        call.brief.paper = Some(paper(entry, text));
        let deadline = self.deadline.instant();
        let asked = self
            .executor
            .agents
            .call(&call, deadline, request.max_attempts);
        match asked.await {
            Ok(answer) => {
                let usages = answer.usages.into_iter().map(translate::usage).collect();
                match answer.content {
                    Content::PaperSummary(summary) => Ok((Ok(summary), usages)),
                    _ => Ok((Err("its summary is of another form".into()), usages)),
                }
            }
            // A paper that takes long to read leaves no time for its summary, in any invocation: that is a failure of its own.
            Err(error)
                if nothing_was_tried(&error) && began.elapsed() < self.executor.papers.margin =>
            {
                Err(DocumentTaskError::NoTime)
            }
            Err(error) if self.is_worth_a_try(error.is_worth_a_new_invocation()) => {
                let retry_after = error.retry_after().unwrap_or_default();
                Err(DocumentTaskError::Failed(
                    translate::failed(error),
                    retry_after,
                ))
            }
            Err(error) => {
                let why = error.for_client().trim_end_matches('.').to_owned();
                let usages = error.usages.into_iter().map(translate::usage);
                Ok((
                    Err(format!("no summary came of it ({why})")),
                    usages.collect(),
                ))
            }
        }
    }

    /// How the unit's agent is asked.
    pub(super) fn request(&self) -> Result<&AgentRequest, StageFailure> {
        let request = self.document.request.as_deref();
        request.ok_or_else(|| failure("record_incomplete", "The record does not say whom to ask."))
    }
}

fn paper(entry: &PaperEntry, text: String) -> Paper {
    Paper {
        id: entry.id.to_string(),
        title: entry.title.clone(),
        authors: entry.authors.clone(),
        published: entry.published.clone(),
        abstract_text: entry.abstract_text.clone(),
        text,
    }
}

fn again(error: &DocumentError) -> DocumentTaskError {
    let failed = StageFailure {
        retryable: true,
        ..failure(
            error.code(),
            format!("The paper could not be read: {error}."),
        )
    };
    failed.into()
}
