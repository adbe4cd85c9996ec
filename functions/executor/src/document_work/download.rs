//! Papers from arXiv: the references of a task, their metadata, and their PDFs.
//!
//! The download stage has one task for each batch of metadata, one for each paper, and one for the
//! artifact about all. Each but the last sends one request, in the slot that all runs share.

use std::time::{Duration, Instant};

use documents::arxiv::{ArxivError, Found, Instead, MAX_IDS};
use documents::{ArxivId, references};
use session::Mode;
use workflow::{DocumentTaskResult, StageFailure};

use super::papers::{Downloads, FetchedPaper, MetadataBatch, count_papers};
use super::work_files::fixed_name;
use super::{DocumentTaskError, DocumentWorker, done, failure, inspected, temporary_failure};

/// The most papers of a run. At one request in three seconds they take a quarter of an hour. With
/// three tries for each paper the run stays below the limit of messages.
const MAX_REFERENCES: usize = 300;

/// The pause after an answer that asks for one and names no time.
const DEFAULT_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause: a `retry-after` of a year is a mistake.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The draft with the ids of the papers that the task refers to.
const REFERENCES: &str = "references.json";

/// How many ids a line shows.
const SHOWN_IDS: usize = 10;

impl DocumentWorker<'_> {
    /// Finds the references. No task follows.
    pub(super) async fn find_references(&self) -> Result<DocumentTaskResult, DocumentTaskError> {
        let ids = references::find(&self.history.task());
        if ids.len() > MAX_REFERENCES {
            return Err(too_many(ids.len()).into());
        }
        self.work_files().write(REFERENCES, &ids).await?;
        Ok(inspected(references_line(&ids), 0))
    }

    pub(super) async fn download(&self) -> Result<DocumentTaskResult, DocumentTaskError> {
        let ids: Vec<ArxivId> = self.work_files().read(REFERENCES).await?;
        let batches = ids.len().div_ceil(MAX_IDS);
        match self.number() {
            0 if ids.is_empty() => Ok(inspected("There is no paper to fetch.", 1)),
            0 => Ok(inspected(
                format!(
                    "{} to fetch, one request at a time.",
                    count_papers(ids.len())
                ),
                batches + ids.len() + 1,
            )),
            number if number <= batches => {
                let of_batch = ids.chunks(MAX_IDS).nth(number - 1).unwrap_or_default();
                self.fetch_metadata(number, of_batch).await
            }
            number => match ids.get(number - batches - 1) {
                Some(id) => self.fetch_paper(number - batches, id).await,
                None => self.conclude(&ids, batches).await,
            },
        }
    }

    /// Fetches a batch of metadata. The papers are downloaded also without it.
    async fn fetch_metadata(
        &self,
        number: usize,
        ids: &[ArxivId],
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        let name = MetadataBatch::name(number);
        let mut batch: MetadataBatch = self.work_files().find(&name).await?.unwrap_or_default();
        let wanted = ids.iter().filter(|id| !batch.refused.contains(id));
        let wanted: Vec<ArxivId> = wanted.cloned().collect();
        let reply = self
            .ask_arxiv(async |deadline| {
                let arxiv = &self.executor.papers.arxiv;
                arxiv.metadata(&wanted, deadline).await
            })
            .await?;
        match reply {
            Ok(found) => batch.papers = found.into_iter().filter_map(found_paper).collect(),
            // arXiv rejects a request for one malformed id, so the next request leaves that id out.
            Err(ArxivError::Refused(Some(id)))
                if wanted.contains(&id) && self.tries_again(true) =>
            {
                batch.refused.push(id.clone());
                self.work_files().write(&name, &batch).await?;
                return Err(try_again(&ArxivError::Refused(Some(id))));
            }
            Err(error) if self.tries_again(error.is_transient()) => return Err(try_again(&error)),
            Err(error) => batch.error = Some(error.to_string()),
        }
        self.work_files().write(&name, &batch).await?;
        Ok(done(batch.line(ids.len())))
    }

    /// Downloads one paper.
    async fn fetch_paper(
        &self,
        number: usize,
        id: &ArxivId,
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        let reply = self
            .ask_arxiv(async |deadline| self.executor.papers.arxiv.pdf(id, deadline).await)
            .await?;
        let mut artifacts = Vec::new();
        let fetched = match reply {
            Ok(pdf) => {
                let (file, size) = (id.artifact_name(), pdf.len());
                self.work_files().publish(&fixed_name(&file), pdf).await?;
                artifacts.push(file.clone());
                FetchedPaper::at(id, file, size)
            }
            Err(error) if self.tries_again(error.is_transient()) => return Err(try_again(&error)),
            Err(error) => FetchedPaper::failed(id, error.to_string()),
        };
        self.work_files()
            .write(&FetchedPaper::name(number), &fetched)
            .await?;
        Ok(DocumentTaskResult {
            artifacts,
            ..done(fetched.line())
        })
    }

    /// Writes the artifact about all papers.
    async fn conclude(
        &self,
        ids: &[ArxivId],
        batches: usize,
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        let files = self.work_files();
        let batches: Vec<MetadataBatch> = files.read_all(MetadataBatch::name, batches).await?;
        let fetched: Vec<FetchedPaper> = files.read_all(FetchedPaper::name, ids.len()).await?;
        let downloads = Downloads::of(&batches, fetched);
        files.publish_json(Downloads::ARTIFACT, &downloads).await?;
        if downloads.downloaded == 0 && downloads.total > 0 {
            return Err(failure("no_paper_downloaded", downloads.why_none()).into());
        }
        Ok(DocumentTaskResult {
            artifacts: vec![Downloads::ARTIFACT.into()],
            message: (self.state.mode == Mode::Arxiv).then(|| downloads.message()),
            ..done(downloads.line())
        })
    }

    /// Sends one request in the slot. If arXiv asks for a pause, no run sends a request until it is
    /// over.
    async fn ask_arxiv<T>(
        &self,
        request: impl AsyncFnOnce(Instant) -> Result<T, ArxivError>,
    ) -> Result<Result<T, ArxivError>, DocumentTaskError> {
        let executor = self.executor;
        if !self.shared.use_slot(executor).await? {
            return Err(DocumentTaskError::NoTime);
        }
        let reply = request(self.deadline.before(executor.papers.margin)).await;
        if let Some(pause) = reply.as_ref().err().and_then(pause_after) {
            tracing::warn!(?pause, "arXiv asks for a pause");
            executor.keep_arxiv_slot(pause).await?;
        }
        Ok(reply)
    }
}

/// The pause that arXiv asks for.
fn pause_after(error: &ArxivError) -> Option<Duration> {
    let asked = match error {
        ArxivError::Busy { retry_after } => retry_after.unwrap_or(DEFAULT_PAUSE),
        ArxivError::NotPdf(Instead::Captcha) => DEFAULT_PAUSE,
        _ => return None,
    };
    Some(asked.min(LONGEST_PAUSE))
}

fn try_again(error: &ArxivError) -> DocumentTaskError {
    let sentence = format!("The paper could not be fetched: {error}.");
    DocumentTaskError::from(StageFailure {
        error_type: "ArxivError".into(),
        ..temporary_failure("arxiv_unavailable", sentence)
    })
}

fn too_many(count: usize) -> StageFailure {
    let error = format!("The task refers to {count} papers; a run takes at most {MAX_REFERENCES}.");
    failure("too_many_references", error)
}

fn found_paper(found: Found) -> Option<documents::arxiv::PaperMetadata> {
    match found {
        Found::Paper(paper) => Some(paper),
        Found::NotFound(_) => None,
    }
}

fn references_line(ids: &[ArxivId]) -> String {
    if ids.is_empty() {
        return "The text refers to no paper at arXiv.".into();
    }
    let shown: Vec<&str> = ids.iter().take(SHOWN_IDS).map(ArxivId::as_str).collect();
    let more = match ids.len() - shown.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let count = count_papers(ids.len());
    format!(
        "The text refers to {count} at arXiv: {}{more}.",
        shown.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_what_arxiv_asks_for_up_to_a_limit() {
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
        assert_eq!(
            references_line(&[]),
            "The text refers to no paper at arXiv."
        );
        let one = "The text refers to 1 paper at arXiv: 2101.00001.";
        assert_eq!(references_line(&ids[..1]), one);
        assert!(references_line(&ids).ends_with("2101.00010, and 2 more."));
    }
}
