//! Papers at arXiv: which ones a task refers to, what arXiv knows about them, and their PDFs.
//!
//! The units of a download are the batches of metadata, then one paper each, then what came of all. Each but the last is one
//! request, made in the slot that all runs share.

use std::time::{Duration, Instant};

use documents::arxiv::{ArxivError, Found, Instead, MAX_IDS};
use documents::{ArxivId, references};
use session::Mode;
use workflow::{DocumentTaskResult, StageFailure};

use super::metadata::{Batch, Downloads, FetchedPaper};
use super::{DocumentTaskError, DocumentWorker, done, drafts, failure, look};

/// The most papers of a run: at one request in three seconds, a quarter of an hour. A run of them stays below the bound of
/// messages for one run, though each paper be tried three times.
const MAX_REFERENCES: usize = 300;

/// How long arXiv is left alone that is busy and names no time.
const BUSY: Duration = Duration::from_secs(30);

/// How long it is left alone at most, whatever it asks for: a date that is a year away is a mistake.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Which papers the task refers to.
const REFERENCES: &str = "references.json";

/// How many ids a line shows.
const SHOWN: usize = 10;

impl DocumentWorker<'_> {
    /// Looks for references; there is nothing behind the look.
    pub(super) async fn find_references(&self) -> Result<DocumentTaskResult, DocumentTaskError> {
        let ids = references::find(&self.memory.task());
        if ids.len() > MAX_REFERENCES {
            return Err(too_many(ids.len()).into());
        }
        self.drafts().write(REFERENCES, &ids).await?;
        Ok(look(found(&ids), 0))
    }

    pub(super) async fn download(&self) -> Result<DocumentTaskResult, DocumentTaskError> {
        let ids: Vec<ArxivId> = self.drafts().read(REFERENCES).await?;
        let batches = ids.len().div_ceil(MAX_IDS);
        let unit = self.document.index as usize;
        match unit {
            0 if ids.is_empty() => Ok(look("There is no paper to fetch.", 1)),
            0 => Ok(look(
                format!("{} to fetch, one request at a time.", papers(ids.len())),
                batches + ids.len() + 1,
            )),
            unit if unit <= batches => {
                let of_batch = ids.chunks(MAX_IDS).nth(unit - 1).unwrap_or_default();
                self.fetch_metadata(unit, of_batch).await
            }
            unit => match ids.get(unit - batches - 1) {
                Some(id) => self.fetch_paper(unit - batches, id).await,
                None => self.conclude(&ids, batches).await,
            },
        }
    }

    /// A batch of metadata. Without it the papers come all the same.
    async fn fetch_metadata(
        &self,
        number: usize,
        ids: &[ArxivId],
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        let name = Batch::name(number);
        let mut batch: Batch = self.drafts().find(&name).await?.unwrap_or_default();
        let wanted = ids.iter().filter(|id| !batch.refused.contains(id));
        let wanted: Vec<ArxivId> = wanted.cloned().collect();
        let came = self
            .ask_arxiv(async |deadline| {
                let arxiv = &self.executor.papers.arxiv;
                arxiv.metadata(&wanted, deadline).await
            })
            .await?;
        match came {
            Ok(found) => batch.papers = found.into_iter().filter_map(known).collect(),
            // One id spoils the request for all: it is left out of the next one.
            Err(ArxivError::Refused(Some(id)))
                if wanted.contains(&id) && self.is_worth_a_try(true) =>
            {
                batch.refused.push(id.clone());
                self.drafts().write(&name, &batch).await?;
                return Err(again(&ArxivError::Refused(Some(id))));
            }
            Err(error) if self.is_worth_a_try(error.is_transient()) => return Err(again(&error)),
            Err(error) => batch.error = Some(error.to_string()),
        }
        self.drafts().write(&name, &batch).await?;
        Ok(done(batch.line(ids.len())))
    }

    /// One paper.
    async fn fetch_paper(
        &self,
        number: usize,
        id: &ArxivId,
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        let came = self
            .ask_arxiv(async |deadline| self.executor.papers.arxiv.pdf(id, deadline).await)
            .await?;
        let mut artifacts = Vec::new();
        let fetched = match came {
            Ok(pdf) => {
                let (file, size) = (id.artifact_name(), pdf.len());
                self.drafts().publish(&drafts::named(&file), pdf).await?;
                artifacts.push(file.clone());
                FetchedPaper::at(id, file, size)
            }
            Err(error) if self.is_worth_a_try(error.is_transient()) => return Err(again(&error)),
            Err(error) => FetchedPaper::failed(id, error.to_string()),
        };
        self.drafts()
            .write(&FetchedPaper::name(number), &fetched)
            .await?;
        Ok(DocumentTaskResult {
            artifacts,
            ..done(fetched.line())
        })
    }

    /// What came of all papers, as an artifact.
    async fn conclude(
        &self,
        ids: &[ArxivId],
        batches: usize,
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        let drafts = self.drafts();
        let batches: Vec<Batch> = drafts.all(Batch::name, batches).await?;
        let fetched: Vec<FetchedPaper> = drafts.all(FetchedPaper::name, ids.len()).await?;
        let all = Downloads::of(&batches, fetched);
        drafts.publish_json(Downloads::ARTIFACT, &all).await?;
        if all.downloaded == 0 && all.total > 0 {
            return Err(failure("no_paper_downloaded", all.why_none()).into());
        }
        Ok(DocumentTaskResult {
            artifacts: vec![Downloads::ARTIFACT.into()],
            message: (self.state.mode == Mode::Arxiv).then(|| all.message()),
            ..done(all.line())
        })
    }

    /// One request, in the slot; what came of it, and a pause for everybody where arXiv wants one.
    async fn ask_arxiv<T>(
        &self,
        request: impl AsyncFnOnce(Instant) -> Result<T, ArxivError>,
    ) -> Result<Result<T, ArxivError>, DocumentTaskError> {
        let executor = self.executor;
        if !executor.use_slot(self.slot).await? {
            return Err(DocumentTaskError::NoTime);
        }
        let came = request(self.deadline.before(executor.papers.margin)).await;
        if let Some(pause) = came.as_ref().err().and_then(pause_after) {
            tracing::warn!(?pause, "arXiv wants to be left alone");
            executor.push_slot_back(pause).await?;
        }
        Ok(came)
    }
}

/// How long nobody should ask arXiv, after an answer that says so.
fn pause_after(error: &ArxivError) -> Option<Duration> {
    let asked = match error {
        ArxivError::Busy { retry_after } => retry_after.unwrap_or(BUSY),
        ArxivError::NotPdf(Instead::Captcha) => BUSY,
        _ => return None,
    };
    Some(asked.min(LONGEST_PAUSE))
}

fn again(error: &ArxivError) -> DocumentTaskError {
    DocumentTaskError::from(StageFailure {
        error: format!("The paper could not be fetched: {error}."),
        code: "arxiv_unavailable".into(),
        error_type: "ArxivError".into(),
        retryable: true,
        usages: Vec::new(),
    })
}

fn too_many(count: usize) -> StageFailure {
    let error = format!("The task refers to {count} papers; a run takes at most {MAX_REFERENCES}.");
    failure("too_many_references", error)
}

fn known(found: Found) -> Option<documents::arxiv::Paper> {
    match found {
        Found::Paper(paper) => Some(paper),
        Found::NotFound(_) => None,
    }
}

fn found(ids: &[ArxivId]) -> String {
    if ids.is_empty() {
        return "The text refers to no paper at arXiv.".into();
    }
    let shown: Vec<&str> = ids.iter().take(SHOWN).map(ArxivId::as_str).collect();
    let more = match ids.len() - shown.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let count = papers(ids.len());
    format!(
        "The text refers to {count} at arXiv: {}{more}.",
        shown.join(", ")
    )
}

pub(super) fn papers(count: usize) -> String {
    match count {
        1 => "1 paper".into(),
        count => format!("{count} papers"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_what_arxiv_asks_for_within_reason() {
        let busy = |seconds: Option<u64>| ArxivError::Busy {
            retry_after: seconds.map(Duration::from_secs),
        };
        for (error, seconds) in [
            (busy(Some(120)), Some(120)),
            (busy(Some(86_400)), Some(900)),
            (busy(None), Some(30)),
            (ArxivError::NotPdf(Instead::Captcha), Some(30)),
            (ArxivError::NotPdf(Instead::Page), None),
            (ArxivError::NotFound, None),
            (ArxivError::Timeout, None),
        ] {
            assert_eq!(
                pause_after(&error),
                seconds.map(Duration::from_secs),
                "{error}"
            );
        }
    }

    #[test]
    fn a_line_names_the_first_papers_and_counts_the_others() {
        let ids: Vec<ArxivId> = (1..=12)
            .map(|n| format!("2101.{n:05}").parse().unwrap())
            .collect();
        assert_eq!(found(&[]), "The text refers to no paper at arXiv.");
        let one = "The text refers to 1 paper at arXiv: 2101.00001.";
        assert_eq!(found(&ids[..1]), one);
        assert!(found(&ids).ends_with("2101.00010, and 2 more."));
    }
}
