//! The conversation: the events that are messages, read backwards from the newest.

use std::ops::RangeInclusive;

use session::{Envelope, Message, Seq, SessionId};

use super::events::{envelopes_between, fits_page};
use crate::dynamo::item::Item;
use crate::{Actor, ReadError, SessionManager};

/// The number of entries on the first page of recent messages. It doubles with each page.
const FIRST_PAGE: usize = 4;
/// The largest number of entries on such a page.
const LARGEST_PAGE: usize = 64;

/// A part of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    /// The number of messages of the session.
    pub total: u64,
    /// The newest messages before the requested event, in chronological order.
    pub messages: Vec<Message>,
    /// The `before` of the next page. `None` where the conversation begins.
    pub next_before: Option<Seq>,
}

impl SessionManager {
    /// The newest `limit` (1 to 1000) messages, or those before an event; at most 1 MiB of them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn history(
        &self,
        session: SessionId,
        actor: &Actor,
        limit: usize,
        before: Option<Seq>,
    ) -> Result<HistoryPage, ReadError> {
        let state = self.state(session, actor).await?;
        let before = before.unwrap_or_else(|| state.last_seq.plus(1));
        let (messages, next_before) = self.messages(session, limit, before).await?;
        Ok(HistoryPage {
            total: state.messages,
            messages,
            next_before,
        })
    }

    /// The newest messages before an event, in chronological order, up to a limit: the read stops
    /// at the message that reaches `max_bytes` of text, but not before the range's lower number of
    /// messages, and always at its upper number. No message is cut. The owner is not checked.
    ///
    /// The cost depends on what is returned and not on the length of the history: the pages begin
    /// small and double.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn recent_messages(
        &self,
        session: SessionId,
        before: Seq,
        messages: RangeInclusive<usize>,
        max_bytes: usize,
    ) -> Result<Vec<Message>, ReadError> {
        let (from, to) = (Seq(1), Seq(before.0.saturating_sub(1)));
        if to < from {
            return Ok(Vec::new());
        }
        let enough = |found: usize, bytes: usize| {
            found >= *messages.end() || (found >= *messages.start() && bytes >= max_bytes)
        };
        let request = self.log(session, from, to).scan_index_forward(false);
        let mut pages = Self::pages(request, None);
        let (mut found, mut bytes, mut entries) = (Vec::new(), 0, FIRST_PAGE);
        pages.limit_pages(entries);
        while !enough(found.len(), bytes)
            && let Some(page) = pages.next().await?
        {
            for message in newest_first(session, page, from, to)? {
                if enough(found.len(), bytes) {
                    break;
                }
                bytes += message.content.len();
                found.push(message);
            }
            entries = (2 * entries).min(LARGEST_PAGE);
            pages.limit_pages(entries);
        }
        Ok(chronological(found))
    }

    /// The newest `limit` messages before an event, in chronological order, and the `before` of the
    /// next page.
    pub(crate) async fn messages(
        &self,
        session: SessionId,
        limit: usize,
        before: Seq,
    ) -> Result<(Vec<Message>, Option<Seq>), ReadError> {
        let (from, to) = (Seq(1), Seq(before.0.saturating_sub(1)));
        if to < from {
            return Ok((Vec::new(), None));
        }
        let entries = i32::try_from(limit + 1).unwrap_or(i32::MAX);
        let request = self.log(session, from, to).scan_index_forward(false);
        let mut pages = Self::pages(request.limit(entries), None);
        let (mut found, mut bytes) = (Vec::new(), 0);
        while let Some(page) = pages.next().await? {
            for message in newest_first(session, page, from, to)? {
                if found.len() == limit || !fits_page(&mut bytes, &message) {
                    let next = found.last().map(|message: &Message| message.seq);
                    return Ok((chronological(found), next));
                }
                found.push(message);
            }
        }
        Ok((chronological(found), None))
    }
}

/// The messages of these entries, newest first.
fn newest_first(
    session: SessionId,
    page: Vec<Item>,
    from: Seq,
    to: Seq,
) -> Result<Vec<Message>, ReadError> {
    let envelopes = envelopes_between(session, page, from, to)?;
    let mut messages: Vec<_> = envelopes.iter().filter_map(Envelope::as_message).collect();
    messages.sort_by_key(|message| std::cmp::Reverse(message.seq));
    Ok(messages)
}

fn chronological(mut newest_first: Vec<Message>) -> Vec<Message> {
    newest_first.reverse();
    newest_first
}
