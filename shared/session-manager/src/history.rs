//! The conversation: those events that are messages, read backwards from the newest.

use session::{Message, Seq, SessionId};

use crate::events::{fits, recorded};
use crate::{Actor, ReadError, SessionManager};

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
            let mut envelopes = recorded(session, page, from, to)?;
            envelopes.sort_by_key(|envelope| std::cmp::Reverse(envelope.seq));
            for message in envelopes.iter().filter_map(session::Envelope::as_message) {
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

fn chronological(mut newest_first: Vec<Message>) -> Vec<Message> {
    newest_first.reverse();
    newest_first
}
