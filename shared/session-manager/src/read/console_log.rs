//! A run's events as lines of text, the newest ones, as a terminal would show them.
//!
//! Each event is one line, so the number of lines is the number of the run's events. The record is
//! read backwards from its end, in a bounded number of pages.

use schemars::JsonSchema;
use serde::Serialize;
use session::RunId;

use super::events::{envelopes_between, fits_page};
use super::run_event;
use crate::{FoundRun, ReadError, SessionManager};

/// The number of queries. Each reads at most 1 MiB of the record.
const QUERIES: usize = 8;

/// The number of characters of each text that a line quotes.
const QUOTED: usize = 1_000;

/// The end of a run's log. Its JSON is the reply to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConsoleLog {
    /// Which run.
    pub run_id: RunId,
    /// A name for the log. It is drawn from the record, so there is no such file.
    pub log_path: String,
    /// The number of lines of the whole log, so far.
    pub total_lines: u64,
    /// The number of lines of `content`.
    pub returned_lines: usize,
    /// The newest lines, oldest first: `<time> <event_type> <description>`. A text is on one line,
    /// and cut after 1,000 characters.
    pub content: String,
    /// Whether there are fewer lines than `tail`, because they are more than 1 MiB, or their
    /// events more than 8 MiB.
    pub truncated: bool,
}

impl SessionManager {
    /// The newest `tail` lines of a run's log.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn console_log(&self, run: &FoundRun, tail: usize) -> Result<ConsoleLog, ReadError> {
        let (session, from, to) = (run.session(), run.first_seq, run.last_seq);
        let total_lines = run.event_count();
        let wanted = usize::try_from(total_lines).map_or(tail, |total| total.min(tail));
        let entries = i32::try_from(wanted.max(1)).unwrap_or(i32::MAX);
        let newest = self.log(session, from, to).scan_index_forward(false);
        let mut pages = Self::pages(newest.limit(entries), None);
        let (mut lines, mut bytes, mut queries) = (Vec::new(), 0, 0);
        'full: while lines.len() < wanted
            && queries < QUERIES
            && let Some(page) = pages.next().await?
        {
            queries += 1;
            let mut envelopes = envelopes_between(session, page, from, to)?;
            envelopes.sort_by_key(|envelope| std::cmp::Reverse(envelope.seq));
            for envelope in &envelopes {
                let line = run_event::line(envelope, QUOTED);
                if lines.len() == wanted || !fits_page(&mut bytes, &line) {
                    break 'full;
                }
                lines.push(line);
            }
        }
        lines.reverse();
        Ok(ConsoleLog {
            run_id: run.row.id,
            log_path: format!("runs/{}/console.log", run.row.id),
            total_lines,
            returned_lines: lines.len(),
            truncated: lines.len() < wanted,
            content: lines.join("\n"),
        })
    }
}
