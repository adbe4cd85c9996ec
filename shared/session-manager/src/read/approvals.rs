//! A session's approvals, newest first, with their answers.
//!
//! An approval's row is written when it is asked and when it is closed. The state has the open one,
//! so a list of pending approvals has at most one row. Ids are of version 7, so keys sort by the
//! time of asking.

use session::{ApprovalId, ApprovalRow, ApprovalStatus, SessionId, State};

use super::cursor;
use super::events::fits_page;
use crate::dynamo::item::text;
use crate::dynamo::items::approval_row;
use crate::dynamo::keys;
use crate::{Actor, ReadError, SessionManager};

/// The number of rows that one query of a filtered list reads. Few of them may match.
const ROWS: usize = 100;

/// A page of the list of approvals.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalPage {
    /// The approvals, newest first.
    pub approvals: Vec<ApprovalRow>,
    /// The cursor of the next page. `None` at the end.
    pub next_cursor: Option<String>,
}

impl SessionManager {
    /// The session's approvals, or those of one status: at most `limit`.
    ///
    /// A page reads at most 1 MiB of approvals, matching or not. A page of one status may therefore
    /// have fewer than `limit`, even none, and still have a cursor.
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
            .map(|cursor| cursor::approval_of(cursor, status))
            .transpose()?;
        let state = self.state(session, actor).await?;
        let (approvals, last) = match status {
            Some(ApprovalStatus::Pending) => (self.pending(&state, before).await?, None),
            _ => self.approval_rows(session, status, before, limit).await?,
        };
        Ok(ApprovalPage {
            approvals,
            next_cursor: last.map(|id| cursor::after_approval(id, status)),
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
        // Both are read for every client, so that the time of the reply does not reveal what
        // exists.
        let (state, row) = tokio::join!(
            self.state(session, actor),
            self.stored_approval(session, id)
        );
        Ok((state?, row?.ok_or(ReadError::NoSuchApproval)?))
    }

    /// The open approval as a list. It is the only one, so nothing is older than a cursor.
    async fn pending(
        &self,
        state: &State,
        before: Option<ApprovalId>,
    ) -> Result<Vec<ApprovalRow>, ReadError> {
        let (Some(open), None) = (&state.approval, before) else {
            return Ok(Vec::new());
        };
        let row = self.stored_approval(state.session_id, open.id).await?;
        // It may have been closed after the state was read.
        let row = row.filter(|row| row.status == ApprovalStatus::Pending);
        Ok(row.into_iter().collect())
    }

    async fn stored_approval(
        &self,
        session: SessionId,
        id: ApprovalId,
    ) -> Result<Option<ApprovalRow>, ReadError> {
        let key = keys::key(keys::session(session), keys::approval(id));
        let item = self.get(key).await?;
        Ok(item.map(approval_row).transpose()?)
    }

    /// The rows before an approval, and the last one that was read when more rows follow.
    async fn approval_rows(
        &self,
        session: SessionId,
        status: Option<ApprovalStatus>,
        before: Option<ApprovalId>,
        limit: usize,
    ) -> Result<(Vec<ApprovalRow>, Option<ApprovalId>), ReadError> {
        let page_size = match status {
            None => limit + 1,
            Some(_) => ROWS.max(limit + 1),
        };
        let request = self
            .query()
            .key_condition_expression("PK = :pk AND begins_with(SK, :approval)")
            .expression_attribute_values(":pk", text(keys::session(session)))
            .expression_attribute_values(":approval", text(keys::APPROVAL))
            .scan_index_forward(false)
            .limit(i32::try_from(page_size).unwrap_or(i32::MAX))
            .consistent_read(true);
        let start = before.map(|id| keys::key(keys::session(session), keys::approval(id)));
        let mut pages = Self::pages(request, start);
        let (mut rows, mut bytes, mut reached) = (Vec::new(), 0, None);
        while let Some(page) = pages.next().await? {
            for item in page {
                let row = approval_row(item)?;
                if rows.len() == limit || !fits_page(&mut bytes, &row) {
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
