//! An owner's sessions, newest first, by status and mode.
//!
//! A status, alone or with a mode, is one query. A mode alone, or no filter, is one query for each
//! status, and the results are merged: a sort key has one prefix, and most lists have a status.

use futures::future::try_join_all;
use session::{Mode, OwnerId, SessionStatus, digest};

use super::cursor::ListPosition;
use crate::dynamo::item::{Item, from_item, text};
use crate::dynamo::keys;
use crate::{ReadError, SessionManager, SessionSummary};

/// Which sessions a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only those of this status.
    pub status: Option<SessionStatus>,
    /// Only those of this mode.
    pub mode: Option<Mode>,
}

impl Filter {
    /// Identifies the filter in a cursor.
    pub(crate) fn digest(&self) -> String {
        digest(&[
            self.status.map_or("", SessionStatus::as_str),
            self.mode.map_or("", Mode::id),
        ])
    }

    /// The statuses to query, one query for each.
    fn statuses(&self) -> &[SessionStatus] {
        match &self.status {
            Some(status) => std::slice::from_ref(status),
            None => SessionStatus::ALL,
        }
    }
}

/// A page of a list of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryPage {
    /// The sessions, by the time of their last change of status, newest first.
    pub sessions: Vec<SessionSummary>,
    /// The cursor of the next page. `None` at the end.
    pub next_cursor: Option<String>,
}

impl SessionManager {
    /// The owner's sessions, at most `limit` (1 to 200). The index may lag a change by a moment.
    ///
    /// # Errors
    /// [`ReadError::BadCursor`] for an invalid cursor or one of another filter; never
    /// `NoSuchSession`.
    pub async fn list(
        &self,
        owner: &OwnerId,
        filter: Filter,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<SummaryPage, ReadError> {
        let after = cursor
            .map(|cursor| ListPosition::from_cursor(cursor, &filter.digest()))
            .transpose()?;
        let queries = filter
            .statuses()
            .iter()
            .map(|status| self.list_of_status(owner, *status, filter.mode, limit + 1, after));
        let mut sessions = try_join_all(queries).await?.concat();
        sessions.sort_by_key(|session| std::cmp::Reverse(position(session)));
        // A session whose status is changing may be in the results of two queries.
        let mut seen = std::collections::HashSet::new();
        sessions.retain(|session| seen.insert(session.session_id));
        let more = sessions.len() > limit;
        sessions.truncate(limit);
        let last = sessions.last().filter(|_| more);
        Ok(SummaryPage {
            next_cursor: last.map(|session| position(session).to_cursor(&filter.digest())),
            sessions,
        })
    }

    async fn list_of_status(
        &self,
        owner: &OwnerId,
        status: SessionStatus,
        mode: Option<Mode>,
        limit: usize,
        after: Option<ListPosition>,
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
        let start = after.map(|position| start_key(owner, status, mode, position));
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

/// The exclusive start key of a query. No item with this key needs to exist.
fn start_key(
    owner: &OwnerId,
    status: SessionStatus,
    mode: Option<Mode>,
    position: ListPosition,
) -> Item {
    let ListPosition { updated_at, id } = position;
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

const fn position(session: &SessionSummary) -> ListPosition {
    ListPosition {
        updated_at: session.updated_at,
        id: session.session_id,
    }
}
