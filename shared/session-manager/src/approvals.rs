//! A session's questions to people, newest first, and what became of each.
//!
//! An approval's row is written when it is asked and when it is closed. Which one is open the state says: a list of the pending
//! ones is one row at most. Ids are of version 7, so that the order of the keys is that of asking.

use session::{ApprovalId, ApprovalRow, ApprovalStatus, SessionId, State};

use crate::events::fits;
use crate::items::{ApprovalItem, Item, from_item, text};
use crate::{Actor, ReadError, SessionManager, cursor, keys};

/// How many rows a query of a filtered list reads at once: among them may be few that are shown.
const ROWS: usize = 100;

/// A part of the list of approvals.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalPage {
    /// The approvals, newest first.
    pub approvals: Vec<ApprovalRow>,
    /// Where the next part begins; none at the end.
    pub next_cursor: Option<String>,
}

impl SessionManager {
    /// The session's approvals, or those of one status: at most `limit`.
    ///
    /// A page looks at no more than 1 MiB of approvals, whether it shows them or not. So a page of one status may hold fewer than
    /// `limit`, even none, and still say where to go on.
    ///
    /// # Errors
    /// [`ReadError`]; `BadCursor` also for a cursor that was made for another status.
    pub async fn approvals(
        &self,
        session: SessionId,
        actor: &Actor,
        status: Option<ApprovalStatus>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<ApprovalPage, ReadError> {
        let before = cursor
            .map(|cursor| cursor::approval_before(cursor, status))
            .transpose()?;
        let state = self.state(session, actor).await?;
        let (approvals, behind) = match status {
            Some(ApprovalStatus::Pending) => (self.pending(&state, before).await?, None),
            _ => self.approval_rows(session, status, before, limit).await?,
        };
        Ok(ApprovalPage {
            approvals,
            next_cursor: behind.map(|id| cursor::behind_approval(id, status)),
        })
    }

    /// An approval, with the state of its session.
    ///
    /// # Errors
    /// [`ReadError`]: `NoSuchSession` before `NoSuchApproval`.
    pub async fn approval(
        &self,
        session: SessionId,
        actor: &Actor,
        id: ApprovalId,
    ) -> Result<(State, ApprovalRow), ReadError> {
        // Both are read whoever asks, so that a stranger cannot tell from the time what exists.
        let (state, row) = tokio::join!(self.state(session, actor), self.approval_row(session, id));
        Ok((state?, row?.ok_or(ReadError::NoSuchApproval)?))
    }

    /// The open question, as a list; none before which there is nothing older.
    async fn pending(
        &self,
        state: &State,
        before: Option<ApprovalId>,
    ) -> Result<Vec<ApprovalRow>, ReadError> {
        let (Some(open), None) = (&state.approval, before) else {
            return Ok(Vec::new());
        };
        let row = self.approval_row(state.session_id, open.id).await?;
        // It may have been answered since the state was read.
        let row = row.filter(|row| row.status == ApprovalStatus::Pending);
        Ok(row.into_iter().collect())
    }

    async fn approval_row(
        &self,
        session: SessionId,
        id: ApprovalId,
    ) -> Result<Option<ApprovalRow>, ReadError> {
        let key = keys::key(keys::session(session), keys::approval(id));
        self.get(key).await?.map(row).transpose()
    }

    /// The rows before an approval, and the last one that was looked at where there are more than these.
    async fn approval_rows(
        &self,
        session: SessionId,
        status: Option<ApprovalStatus>,
        before: Option<ApprovalId>,
        limit: usize,
    ) -> Result<(Vec<ApprovalRow>, Option<ApprovalId>), ReadError> {
        let at_once = match status {
            None => limit + 1,
            Some(_) => ROWS.max(limit + 1),
        };
        let request = self
            .query()
            .key_condition_expression("PK = :pk AND begins_with(SK, :approval)")
            .expression_attribute_values(":pk", text(keys::session(session)))
            .expression_attribute_values(":approval", text(keys::APPROVAL))
            .scan_index_forward(false)
            .limit(i32::try_from(at_once).unwrap_or(i32::MAX))
            .consistent_read(true);
        let start = before.map(|id| keys::key(keys::session(session), keys::approval(id)));
        let mut pages = Self::pages(request, start);
        let (mut rows, mut bytes, mut reached) = (Vec::new(), 0, None);
        while let Some(page) = pages.next().await? {
            for item in page {
                let row = row(item)?;
                if rows.len() == limit || !fits(&mut bytes, &row) {
                    return Ok((rows, reached));
                }
                reached = Some(row.approval_id);
                if status.is_none_or(|status| status == row.status) {
                    rows.push(row);
                }
            }
        }
        Ok((rows, None))
    }
}

fn row(item: Item) -> Result<ApprovalRow, ReadError> {
    Ok(from_item::<ApprovalItem>("approval", item)?.try_into()?)
}
