//! Papers from arXiv: the references of a task, their metadata, and their PDFs.
//!
//! The download stage has one task for each batch of metadata, one for each paper, and one for the
//! artifact about all. Each but the last sends one request, in the slot that all runs share.
//!
//! A service that is busy or cannot be reached loses no paper. The worker notes the attempt, yields
//! the lease, and the run's message comes back after a pause. These attempts have their own limit,
//! in time, and not the engine's, in tries.

use std::time::{Duration, Instant};

use documents::arxiv::{ArxivError, Found, MAX_IDS};
use documents::{ArxivId, references};
use executor::{DocumentTaskError, Downloads, count_papers, done, failure, fixed_name, inspected};
use lambda_kit::now;
use session::{Mode, Timestamp};
use workflow::{DocumentTaskResult, StageFailure};

use crate::DocumentWorker;
use crate::papers::{Attempts, FetchedPaper, MetadataBatch, downloads};

/// The most papers of a run. At one request in three seconds they take a quarter of an hour. With
/// three tries for each paper the run stays below the limit of messages.
const MAX_REFERENCES: usize = 300;

/// The pause of all runs after an answer that asks for one and names no time. It doubles with each
/// such answer.
const DEFAULT_PAUSE: Duration = Duration::from_secs(30);

/// The pause of a run after a request without an answer. It doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_UNREACHABLE_PAUSE: Duration = Duration::from_secs(60);

/// How long one task tries to reach a service that does not answer.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

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

    pub(super) async fn download(&mut self) -> Result<DocumentTaskResult, DocumentTaskError> {
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
        &mut self,
        number: usize,
        ids: &[ArxivId],
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        let name = MetadataBatch::name(number);
        let mut batch: MetadataBatch = self.work_files().find(&name).await?.unwrap_or_default();
        let wanted = ids.iter().filter(|id| !batch.refused.contains(id));
        let wanted: Vec<ArxivId> = wanted.cloned().collect();
        let arxiv = &self.papers.arxiv;
        let reply = self
            .ask_arxiv(async |deadline| arxiv.metadata(&wanted, deadline).await)
            .await?;
        match reply {
            Ok(found) => batch.papers = found.into_iter().filter_map(found_paper).collect(),
            // arXiv rejects a request for one malformed id, so the next request leaves that id out.
            Err(ArxivError::Refused(Some(id))) if wanted.contains(&id) => {
                batch.refused.push(id);
                self.work_files().write(&name, &batch).await?;
                return Err(DocumentTaskError::NO_TIME);
            }
            Err(error) => batch.error = Some(error.to_string()),
        }
        self.work_files().write(&name, &batch).await?;
        Ok(done(batch.line(ids.len())))
    }

    /// Downloads one paper, and reads its text if a summary follows. A paper that was downloaded
    /// before its text could be read is not requested again.
    async fn fetch_paper(
        &mut self,
        number: usize,
        id: &ArxivId,
    ) -> Result<DocumentTaskResult, DocumentTaskError> {
        let name = FetchedPaper::name(number);
        let fetched: FetchedPaper = match self.work_files().find(&name).await? {
            Some(fetched) => fetched,
            None => {
                let fetched = self.request_paper(id).await?;
                self.work_files().write(&name, &fetched).await?;
                fetched
            }
        };
        if let (Some(file), Mode::EnhanceInput) = (&fetched.file, self.state.mode) {
            if !self.deadline.leaves(self.pages.fair_time) {
                return Err(DocumentTaskError::NO_TIME);
            }
            self.keep_text(file).await?;
        }
        Ok(DocumentTaskResult {
            artifacts: fetched.file.iter().cloned().collect(),
            ..done(fetched.line())
        })
    }

    /// Requests one paper. Where its latest version has no PDF, as that of a withdrawn paper, the
    /// next request is for the version before.
    async fn request_paper(&mut self, id: &ArxivId) -> Result<FetchedPaper, DocumentTaskError> {
        let attempts = self.attempts().await?;
        let asked = match attempts.version {
            Some(version) => id.with_version(version),
            None => id.clone(),
        };
        let arxiv = &self.papers.arxiv;
        let reply = self
            .ask_arxiv(async |deadline| arxiv.pdf(&asked, deadline).await)
            .await?;
        match reply {
            Ok(pdf) => {
                let (file, size) = (asked.artifact_name(), pdf.len());
                self.work_files().publish(&fixed_name(&file), pdf).await?;
                Ok(FetchedPaper {
                    version: asked.version(),
                    withdrawn: attempts.withdrawn,
                    ..FetchedPaper::at(id, file, size)
                })
            }
            Err(error @ (ArxivError::NotFound | ArxivError::Withdrawn)) => {
                self.without_pdf(id, attempts, error).await
            }
            Err(error) => Ok(FetchedPaper::failed(id, error.to_string())),
        }
    }

    /// Goes on to the version before, in another message, or gives the paper up.
    async fn without_pdf(
        &self,
        id: &ArxivId,
        mut attempts: Attempts,
        error: ArxivError,
    ) -> Result<FetchedPaper, DocumentTaskError> {
        let (latest, withdrawn) = self.latest_version(id).await?;
        attempts.withdrawn |= withdrawn || matches!(error, ArxivError::Withdrawn);
        let before = attempts.version.or(latest).map_or(0, |version| version - 1);
        if id.version().is_none() && before > 0 {
            attempts.version = Some(before);
            self.write_attempts(&attempts).await?;
            return Err(DocumentTaskError::NO_TIME);
        }
        let error = match attempts.withdrawn {
            true => ArxivError::Withdrawn,
            false => error,
        };
        Ok(FetchedPaper {
            withdrawn: attempts.withdrawn,
            ..FetchedPaper::failed(id, error.to_string())
        })
    }

    /// The latest version of a paper and whether the paper is withdrawn, if its metadata says so.
    async fn latest_version(&self, id: &ArxivId) -> Result<(Option<u32>, bool), StageFailure> {
        let ids: Vec<ArxivId> = self.work_files().read(REFERENCES).await?;
        let place = ids.iter().position(|known| known == id).unwrap_or_default();
        let name = MetadataBatch::name(place / MAX_IDS + 1);
        let batch: MetadataBatch = self.work_files().read(&name).await?;
        let paper = batch.papers.into_iter().find(|paper| paper.id == *id);
        Ok(paper.map_or((None, false), |paper| (paper.version, paper.withdrawn)))
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
        let downloads = downloads(&batches, fetched);
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

    /// Sends one request in the slot. A reply that is no answer puts the task off, for as long as
    /// its cause allows.
    async fn ask_arxiv<T>(
        &mut self,
        request: impl AsyncFnOnce(Instant) -> Result<T, ArxivError>,
    ) -> Result<Result<T, ArxivError>, DocumentTaskError> {
        let papers = self.papers;
        if !papers.use_slot().await? {
            return Err(DocumentTaskError::NO_TIME);
        }
        let reply = request(self.deadline.before(papers.margin)).await;
        let Err(error) = &reply else {
            return Ok(reply);
        };
        let mut attempts = self.attempts().await?;
        let pause = match error {
            // No run sends a request until the pause is over.
            ArxivError::Busy { retry_after } => {
                let pause = attempts.busy(*retry_after);
                tracing::warn!(?pause, "arXiv asks for a pause");
                papers.keep_away(pause).await?;
                Duration::ZERO
            }
            error if error.is_transient() => match attempts.unanswered(now()) {
                Some(pause) => pause,
                None => return Ok(reply),
            },
            _ => return Ok(reply),
        };
        self.write_attempts(&attempts).await?;
        Err(DocumentTaskError::NotYet(pause))
    }

    async fn attempts(&self) -> Result<Attempts, StageFailure> {
        let name = Attempts::name(self.number());
        Ok(self.work_files().find(&name).await?.unwrap_or_default())
    }

    async fn write_attempts(&self, attempts: &Attempts) -> Result<(), StageFailure> {
        let name = Attempts::name(self.number());
        self.work_files().write(&name, attempts).await
    }
}

impl Attempts {
    /// Notes a reply that asks for a pause. Returns the pause of all runs.
    fn busy(&mut self, retry_after: Option<Duration>) -> Duration {
        self.unanswered_since = None;
        let pause = retry_after.unwrap_or_else(|| self.doubled(DEFAULT_PAUSE));
        self.count += 1;
        pause.min(LONGEST_PAUSE)
    }

    /// Notes a request without an answer. Returns the pause before the next, unless the patience is
    /// over.
    fn unanswered(&mut self, now: Timestamp) -> Option<Duration> {
        let since = *self.unanswered_since.get_or_insert(now);
        let pause = self.doubled(FIRST_PAUSE);
        self.count += 1;
        (now.since(since) < PATIENCE).then_some(pause.min(LONGEST_UNREACHABLE_PAUSE))
    }

    fn doubled(&self, first: Duration) -> Duration {
        first.saturating_mul(2_u32.saturating_pow(self.count))
    }
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
    fn a_pause_is_what_arxiv_asks_for_or_grows_up_to_a_limit() {
        let mut attempts = Attempts::default();
        let asked = [(Some(120), 120), (Some(86_400), 900), (Some(0), 0)];
        for (seconds, pause) in asked {
            let asked = seconds.map(Duration::from_secs);
            assert_eq!(attempts.busy(asked), Duration::from_secs(pause));
        }
        let mut attempts = Attempts::default();
        let grown: Vec<u64> = (0..50).map(|_| attempts.busy(None).as_secs()).collect();
        assert_eq!(grown[..6], [30, 60, 120, 240, 480, 900]);
        assert_eq!(grown[49], 900, "a busy service is asked for ever");
    }

    #[test]
    fn a_service_that_does_not_answer_is_tried_for_minutes() {
        let mut attempts = Attempts::default();
        let (mut clock, mut pauses) = (now(), Vec::new());
        while let Some(pause) = attempts.unanswered(clock) {
            pauses.push(pause.as_secs());
            clock = clock.plus(pause);
        }
        assert_eq!(pauses[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(
            (600..=660).contains(&pauses.iter().sum::<u64>()),
            "{pauses:?}"
        );
        // An answer that asks for a pause begins the time anew.
        attempts.busy(None);
        assert!(attempts.unanswered(clock).is_some());
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
