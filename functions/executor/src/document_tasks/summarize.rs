//! Summaries of the downloaded papers. An agent summarises one paper at a time, by the text that
//! the download has left as a draft.
//!
//! A paper without text, or whose summary fails, is named and left out.

use agents::{Content, PaperBrief, PaperSummary};
use serde::{Deserialize, Serialize};
use workflow::{DocumentTaskResult, StageFailure};

use super::papers::{Downloads, PaperEntry, PaperText, count_papers};
use super::work_files::unreadable;
use super::{DocumentTaskError, TaskContext, billed, done, inspected, was_not_called};

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

impl TaskContext<'_> {
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
        let (summary, usages) = match self.text_of(&entry).await? {
            Ok(text) => self.ask_summarizer(&entry, text).await?,
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
    async fn text_of(&self, entry: &PaperEntry) -> Result<Result<String, String>, StageFailure> {
        let name = PaperText::name(entry.file.as_deref().unwrap_or_default());
        let found: Option<PaperText> = self.work_files().find(&name).await?;
        Ok(match found {
            Some(PaperText {
                error: Some(error), ..
            }) => Err(error),
            Some(PaperText { text, .. }) => Ok(text),
            // A run that an earlier version of this program had brought to this stage.
            None => Err("its text was not kept".into()),
        })
    }

    /// The summary, or why there is none, and the usages that were paid for.
    async fn ask_summarizer(
        &self,
        entry: &PaperEntry,
        text: String,
    ) -> Result<(Result<PaperSummary, String>, Vec<workflow::Usage>), DocumentTaskError> {
        let request = self.request()?;
        let (paper, deadline) = (paper(entry, text), self.deadline.instant());
        let asked = self.agents.summarize(request, &paper, deadline);
        match asked.await {
            Ok(answer) => match answer.content {
                Content::PaperSummary(summary) => Ok((Ok(summary), answer.usages)),
                _ => Ok((Err("its summary is of another form".into()), answer.usages)),
            },
            Err(error) if was_not_called(&error) => Err(DocumentTaskError::NO_TIME),
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
