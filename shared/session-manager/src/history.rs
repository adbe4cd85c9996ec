//! The conversation: those events that are messages, read backwards from the newest.

use std::ops::RangeInclusive;

use session::{Envelope, Message, Seq, SessionId};

use crate::events::{fits, recorded};
use crate::items::Item;
use crate::{Actor, ReadError, SessionManager};

/// How many entries a look into the recent past reads first, and how many at most at once.
const FEW: usize = 4;
const MANY: usize = 64;

/// A part of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    /// How many messages the session has.
    pub total: u64,
    /// The newest ones before the place that was asked for, in chronological order.
    pub messages: Vec<Message>,
    /// What to ask for next; none where the conversation begins.
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

    /// The newest messages before an event, in chronological order, as far as somebody can remember: the read stops at the message
    /// with which `max_bytes` of text are reached, but not before the range's first number of messages, and always at its last.
    /// Every message is whole. There is no check of the owner.
    ///
    /// What it costs depends on what is remembered, and not on how much lies behind it: the queries begin small and double.
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
        let (mut found, mut bytes, mut entries) = (Vec::new(), 0, FEW);
        pages.look_at(entries);
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
            entries = (2 * entries).min(MANY);
            pages.look_at(entries);
        }
        Ok(chronological(found))
    }

    /// The newest `limit` messages before an event, in chronological order, and where the next ones are to be asked for.
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
                if found.len() == limit || !fits(&mut bytes, &message) {
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
    let envelopes = recorded(session, page, from, to)?;
    let mut messages: Vec<_> = envelopes.iter().filter_map(Envelope::as_message).collect();
    messages.sort_by_key(|message| std::cmp::Reverse(message.seq));
    Ok(messages)
}

fn chronological(mut newest_first: Vec<Message>) -> Vec<Message> {
    newest_first.reverse();
    newest_first
}
