//! The conversation: the events that are messages, read backwards from the newest.
//!
//! A read costs what it returns, and not what stands between the messages. The state in each entry
//! has the number of messages so far and the place of the newest one, so a stretch of entries
//! without messages is passed over by one query. Older entries have the number alone; there the
//! stretch is searched by halves.

use std::ops::RangeInclusive;

use serde::Deserialize;
use session::{Envelope, Message, Seq, SessionId, State};

use super::events::{envelopes_between, fits_page};
use crate::dynamo::item::{Item, Malformed, from_item};
use crate::dynamo::items::state;
use crate::dynamo::keys;
use crate::log::size::item_size;
use crate::{Actor, ReadError, SessionManager};

/// The number of entries on the first page of recent messages, and the largest number.
const RECENT: RangeInclusive<usize> = 4..=64;
/// The same for a page of the conversation, which may hold 1,000 messages.
const CONVERSATION: RangeInclusive<usize> = 16..=1024;

/// A page of the conversation reads no further behind this size: an entry has other events beside
/// its messages.
const READ_BYTES: usize = 4 * 1024 * 1024;

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
    /// The newest `limit` (1 to 1000) messages, or those before an event; at most 1 MiB of them,
    /// and fewer where 4 MiB of the record were read.
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
        let newest = behind_newest(&state);
        let before = before.map_or(newest, |before| before.min(newest));
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
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn recent_messages(
        &self,
        session: SessionId,
        before: Seq,
        messages: RangeInclusive<usize>,
        max_bytes: usize,
    ) -> Result<Vec<Message>, ReadError> {
        let enough = |found: usize, bytes: usize| {
            found >= *messages.end() || (found >= *messages.start() && bytes >= max_bytes)
        };
        let mut walk = MessageWalk::new(self, session, before, RECENT);
        let (mut found, mut bytes) = (Vec::new(), 0);
        while !enough(found.len(), bytes)
            && let Some(page) = walk.next(usize::MAX).await?
        {
            for message in page {
                if enough(found.len(), bytes) {
                    break;
                }
                bytes += message.content.len();
                found.push(message);
            }
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
        let mut walk = MessageWalk::new(self, session, before, CONVERSATION);
        let (mut found, mut bytes) = (Vec::new(), 0);
        while found.len() < limit
            && walk.read < READ_BYTES
            && let Some(page) = walk.next(limit + 1 - found.len()).await?
        {
            for message in page {
                if found.len() == limit || !fits_page(&mut bytes, &message) {
                    let next = found.last().map(|message: &Message| message.seq);
                    return Ok((chronological(found), next));
                }
                found.push(message);
            }
        }
        Ok((chronological(found), walk.rest()))
    }
}

/// The `before` of a read from a session's newest message on.
pub(crate) fn behind_newest(state: &State) -> Seq {
    match (state.messages, state.last_message) {
        (0, _) => BEGINNING,
        (_, Some(newest)) => newest.plus(1),
        (_, None) => state.last_seq.plus(1),
    }
}

/// No message is before the first event.
const BEGINNING: Seq = Seq(1);

/// Reads the messages before an event backwards, page by page.
struct MessageWalk<'a> {
    manager: &'a SessionManager,
    session: SessionId,
    /// All messages from here on were returned.
    before: Seq,
    /// The number of entries of the next page, and its limits.
    entries: usize,
    sizes: RangeInclusive<usize>,
    /// The bytes read so far.
    read: usize,
}

impl<'a> MessageWalk<'a> {
    const fn new(
        manager: &'a SessionManager,
        session: SessionId,
        before: Seq,
        sizes: RangeInclusive<usize>,
    ) -> Self {
        Self {
            manager,
            session,
            before,
            entries: *sizes.start(),
            sizes,
            read: 0,
        }
    }

    /// The `before` of the messages that are left; `None` where the conversation begins.
    fn rest(&self) -> Option<Seq> {
        (self.before > BEGINNING).then_some(self.before)
    }

    /// The messages of the next page of at most `most` entries, newest first. It may be empty.
    /// `None` where the conversation begins.
    async fn next(&mut self, most: usize) -> Result<Option<Vec<Message>>, ReadError> {
        if self.rest().is_none() {
            return Ok(None);
        }
        let to = Seq(self.before.0 - 1);
        let page = self.entries_to(to, self.entries.min(most)).await?;
        let Some(oldest) = page.last().map(EntryPlace::of).transpose()? else {
            self.before = BEGINNING;
            return Ok(None);
        };
        let entries = page.len();
        self.read += page.iter().map(item_size).sum::<usize>();
        let messages = newest_first(self.session, page, to)?;
        let of_oldest = |message: &&Message| message.seq <= oldest.last;
        let in_oldest = messages.iter().filter(of_oldest).count();
        self.before = self.before_oldest(&oldest, in_oldest).await?;
        // A page grows while a quarter of its entries have messages, so that it reads little else.
        self.entries = match 4 * messages.len() >= entries {
            true => (2 * self.entries).min(*self.sizes.end()),
            false => (self.entries / 2).max(*RECENT.start()),
        };
        Ok(Some(messages))
    }

    /// Where the messages before this entry end, of which `messages` were read.
    async fn before_oldest(&self, oldest: &EntryPlace, messages: usize) -> Result<Seq, ReadError> {
        if oldest.messages == messages as u64 {
            return Ok(BEGINNING);
        }
        if messages > 0 {
            return Ok(oldest.first);
        }
        let earlier = match oldest.last_message {
            // The walk began in the middle of the entry, before its messages.
            Some(newest) if newest >= oldest.first => None,
            Some(newest) => Some(newest),
            None => self.search(oldest).await?,
        };
        Ok(earlier.map_or(oldest.first, |newest| newest.plus(1)))
    }

    /// The end of the entry with the newest message before this one, which has none: the first
    /// entry with the same number of messages. `None` when it is this entry.
    async fn search(&self, later: &EntryPlace) -> Result<Option<Seq>, ReadError> {
        let (mut low, mut high, mut found) = (1, later.first.0 - 1, None);
        while low <= high {
            let page = self.entries_to(Seq(low.midpoint(high)), 1).await?;
            let Some(entry) = page.first().map(EntryPlace::of).transpose()? else {
                break;
            };
            if entry.messages >= later.messages {
                found = Some(entry.last);
                high = entry.first.0 - 1;
            } else {
                low = entry.last.0 + 1;
            }
        }
        Ok(found)
    }

    /// The newest entries that begin at this event or before, newest first.
    async fn entries_to(&self, to: Seq, entries: usize) -> Result<Vec<Item>, ReadError> {
        let request = self
            .manager
            .log(self.session, Seq(1), to)
            .projection_expression("#sk, #last, #at, #events, #state")
            .expression_attribute_names("#state", "state")
            .scan_index_forward(false)
            .limit(i32::try_from(entries).unwrap_or(i32::MAX));
        let page = SessionManager::pages(request, None).next().await?;
        Ok(page.unwrap_or_default())
    }
}

/// The place of an entry in the record, and in the conversation.
struct EntryPlace {
    first: Seq,
    last: Seq,
    messages: u64,
    last_message: Option<Seq>,
}

impl EntryPlace {
    fn of(item: &Item) -> Result<Self, Malformed> {
        #[derive(Deserialize)]
        struct Place {
            #[serde(rename = "SK")]
            sk: String,
            last: Seq,
            state: String,
        }
        // Without the events, which may have hundreds of kilobytes.
        let parts = ["SK", "last", "state"].map(|name| (name, item.get(name)));
        let parts = parts
            .into_iter()
            .filter_map(|(name, part)| Some((name.into(), part?.clone())));
        let place: Place = from_item("entry", parts.collect())?;
        let state = state(&place.state)?;
        Ok(Self {
            // A key that is no entry's is never read: the query is for entries alone.
            first: keys::entry_of(&place.sk).unwrap_or(place.last),
            last: place.last,
            messages: state.messages,
            last_message: state.last_message,
        })
    }
}

/// The messages of these entries up to an event, newest first.
fn newest_first(session: SessionId, page: Vec<Item>, to: Seq) -> Result<Vec<Message>, ReadError> {
    let envelopes = envelopes_between(session, page, Seq(1), to)?;
    let mut messages: Vec<_> = envelopes.iter().filter_map(Envelope::as_message).collect();
    messages.sort_by_key(|message| std::cmp::Reverse(message.seq));
    Ok(messages)
}

fn chronological(mut newest_first: Vec<Message>) -> Vec<Message> {
    newest_first.reverse();
    newest_first
}
