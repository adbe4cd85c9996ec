//! An owner's sessions, newest first, by status and mode.
//!
//! A status, or a status and a mode, is one query. A mode alone, or no filter, is one query for each status, merged: a sort key
//! can begin with one thing only, and most lists ask for a status.

use futures::future::try_join_all;
use session::{Mode, OwnerId, SessionStatus, digest};

use crate::cursor::ListPosition;
use crate::items::{Item, from_item, text};
use crate::{ReadError, SessionManager, SessionSummary, keys};

/// Which sessions are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only those of this status.
    pub status: Option<SessionStatus>,
    /// Only those of this mode.
    pub mode: Option<Mode>,
}

impl Filter {
    /// By which a cursor knows the question that it was made for.
    pub(crate) fn digest(&self) -> String {
        digest(&[
            self.status.map_or("", SessionStatus::as_str),
            self.mode.map_or("", Mode::id),
        ])
    }

    /// One query for each of these.
    fn statuses(&self) -> &[SessionStatus] {
        match &self.status {
            Some(status) => std::slice::from_ref(status),
            None => SessionStatus::ALL,
        }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryPage {
    /// The sessions, the newest change of status first.
    pub sessions: Vec<SessionSummary>,
    /// Where the next part begins; none at the end.
    pub next_cursor: Option<String>,
}

impl SessionManager {
    /// The owner's sessions, at most `limit` (1 to 200). The list may lag a change by a moment.
    ///
    /// # Errors
    /// [`ReadError::BadCursor`] for a cursor that is not ours, or was made for another filter; never `NoSuchSession`.
    pub async fn list(
        &self,
        owner: &OwnerId,
        filter: Filter,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<SummaryPage, ReadError> {
        let behind = cursor
            .map(|cursor| ListPosition::from_cursor(cursor, &filter))
            .transpose()?;
        let parts = filter
            .statuses()
            .iter()
            .map(|status| self.list_part(owner, *status, filter.mode, limit + 1, behind));
        let mut sessions = try_join_all(parts).await?.concat();
        sessions.sort_by_key(|session| std::cmp::Reverse(place(session)));
        // A session that changes its status right now may stand in two of the parts.
        let mut seen = std::collections::HashSet::new();
        sessions.retain(|session| seen.insert(session.session_id));
        let more = sessions.len() > limit;
        sessions.truncate(limit);
        let last = sessions.last().filter(|_| more);
        Ok(SummaryPage {
            next_cursor: last.map(|session| place(session).to_cursor(&filter)),
            sessions,
        })
    }

    async fn list_part(
        &self,
        owner: &OwnerId,
        status: SessionStatus,
        mode: Option<Mode>,
        limit: usize,
        behind: Option<ListPosition>,
    ) -> Result<Vec<SessionSummary>, ReadError> {
        let request = match mode {
            None => self
                .query()
                .index_name(keys::BY_OWNER_STATUS)
                .key_condition_expression("owner_status = :owner")
                .expression_attribute_values(":owner", text(keys::owner_status(owner, status))),
            Some(mode) => self
                .query()
                .index_name(keys::BY_OWNER_MODE)
                .key_condition_expression(
                    "owner_mode = :owner AND begins_with(status_updated_key, :status)",
                )
                .expression_attribute_values(":owner", text(keys::owner_mode(owner, mode)))
                .expression_attribute_values(":status", text(format!("{status}#"))),
        };
        let request = request
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let start = behind.map(|place| start_key(owner, status, mode, place));
        let mut pages = Self::pages(request, start);
        let mut found = Vec::new();
        while let Some(page) = pages.next().await? {
            for item in page {
                found.push(from_item::<SessionSummary>("summary", item)?);
            }
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }
}

/// The key behind which a query goes on; it need not be that of an item.
fn start_key(
    owner: &OwnerId,
    status: SessionStatus,
    mode: Option<Mode>,
    place: ListPosition,
) -> Item {
    let ListPosition { updated_at, id } = place;
    let mut key = keys::key(keys::session(id), keys::SUMMARY);
    let index = match mode {
        None => [
            (keys::OWNER_STATUS, keys::owner_status(owner, status)),
            (keys::UPDATED_KEY, keys::updated(updated_at, id)),
        ],
        Some(mode) => [
            (keys::OWNER_MODE, keys::owner_mode(owner, mode)),
            (
                keys::STATUS_UPDATED_KEY,
                keys::status_updated(status, updated_at, id),
            ),
        ],
    };
    key.extend(index.map(|(name, value)| (name.to_owned(), text(value))));
    key
}

const fn place(session: &SessionSummary) -> ListPosition {
    ListPosition {
        updated_at: session.updated_at,
        id: session.session_id,
    }
}
