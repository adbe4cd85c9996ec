//! The append protocol: the only way in which a session changes.
//!
//! A writer puts its entry behind the newest one that it knows, on the condition that no entry has
//! that sequence number. A failed condition returns the entry that has it: the command is decided
//! again on that entry's state, without a read. A writer that loses twice in a row reads the newest
//! entry first. An entry with the writer's own commit id means that the SDK repeated a put whose
//! reply was lost: the commit succeeded. Conditions decide, never clocks.

use std::time::Duration;

use session::{Change, Command, CommitId, Envelope, RowChange, SessionId, State, Timestamp};
use uuid::Uuid;

use super::outcome::{AppendOutcome, put_failed, transaction_failed};
use super::transaction::{CommitOptions, CommitTransaction};
use crate::dynamo::item::text;
use crate::dynamo::items::{EntryHead, RequestKeyItem};
use crate::dynamo::{keys, wire};
use crate::error::{ChangeError, StorageError};
use crate::{ReadError, SessionManager};

/// The result of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The state after this commit. Later commits may exist already.
    pub state: State,
    /// This commit's events, with sequence number and time.
    pub envelopes: Vec<Envelope>,
    /// The changes of rows that this commit wrote beside the log.
    pub row_changes: Vec<RowChange>,
}

impl From<CommitTransaction<'_>> for Committed {
    fn from(transaction: CommitTransaction<'_>) -> Self {
        Self {
            envelopes: transaction.entry.envelopes(),
            state: transaction.entry.state,
            row_changes: transaction.row_changes,
        }
    }
}

/// The retries that one change may use.
pub(crate) struct RetryBudget {
    pauses: Box<dyn Iterator<Item = Duration> + Send>,
    lost_before: bool,
    last_error: Option<StorageError>,
}

impl RetryBudget {
    pub fn new() -> Self {
        Self {
            pauses: Box::new(wire::pauses()),
            lost_before: false,
            last_error: None,
        }
    }

    /// Takes the next try without a pause. Returns false when a race was lost before.
    pub fn take_immediate(&mut self) -> bool {
        let first = !std::mem::replace(&mut self.lost_before, true);
        first && self.pauses.next().is_some()
    }

    /// Waits for the next try.
    pub async fn wait(&mut self) -> Result<(), ChangeError> {
        let pause = self.pauses.next().ok_or_else(|| self.exhausted())?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Waits for the next try after a conflict or a throttled request.
    pub async fn wait_after(&mut self, error: StorageError) -> Result<(), ChangeError> {
        self.last_error = Some(error);
        self.wait().await
    }

    fn exhausted(&mut self) -> ChangeError {
        match self.last_error.take() {
            Some(error) if error.is_throttled() => ChangeError::Unavailable(error),
            _ => ChangeError::Contention,
        }
    }
}

/// What a commit builds on.
pub(crate) enum CommitBase<'a> {
    /// The first commit of a session.
    NewSession(Change),
    /// A command, to be decided on this state.
    Existing(State, &'a Command),
}

impl CommitBase<'_> {
    fn decide(&self, manager: &SessionManager, now: Timestamp) -> Result<Change, ChangeError> {
        match self {
            Self::NewSession(change) => Ok(change.clone()),
            Self::Existing(state, command) => manager
                .rules
                .decide(state, command, now)
                .map_err(|refusal| ChangeError::Refused(refusal, Some(Box::new(state.clone())))),
        }
    }

    const fn before(&self) -> Option<&State> {
        match self {
            Self::NewSession(_) => None,
            Self::Existing(state, _) => Some(state),
        }
    }

    /// The same command on a newer state.
    fn rebase(self, newer: State) -> Result<Self, ChangeError> {
        match self {
            // The id has a session already.
            Self::NewSession(_) => Err(ChangeError::Contention),
            Self::Existing(_, command) => Ok(Self::Existing(newer, command)),
        }
    }
}

impl SessionManager {
    /// Decides and appends until the commit succeeds, is refused, or the retries are used up.
    pub(crate) async fn commit(
        &self,
        mut base: CommitBase<'_>,
        mut options: CommitOptions<'_>,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        let commit = CommitId::new(Uuid::new_v4());
        let mut retries = RetryBudget::new();
        loop {
            let change = base.decide(self, now)?;
            let transaction = CommitTransaction::new(
                &self.table,
                &self.rules,
                base.before(),
                &change,
                &options,
                (commit, now),
            )?;
            match self.append(&transaction).await? {
                AppendOutcome::Committed => return Ok(transaction.into()),
                AppendOutcome::Lost(entry) => {
                    base = self.after_loss(base, entry.state, &mut retries).await?;
                }
                AppendOutcome::RequestKeyTaken(used) => {
                    options.deleted_session = Some(self.deleted_session_of(used).await?);
                    retries.wait().await?;
                }
                AppendOutcome::TaskKeyMissing => options.skip_task_key = true,
                AppendOutcome::Busy(error) => retries.wait_after(error).await?,
            }
        }
    }

    /// The base for the next try. After the first loss it is the winner's state. After a further
    /// one it is the newest state, read anew: a writer that goes from one entry to the next does
    /// not catch up with busy writers.
    async fn after_loss<'a>(
        &self,
        base: CommitBase<'a>,
        newer: State,
        retries: &mut RetryBudget,
    ) -> Result<CommitBase<'a>, ChangeError> {
        let session = newer.session_id;
        tracing::debug!(%session, "another commit was first");
        let base = base.rebase(newer)?;
        if retries.take_immediate() {
            return Ok(base);
        }
        retries.wait().await?;
        let newest = self.newest(session).await?;
        base.rebase(newest.ok_or(ReadError::NoSuchSession)?)
    }

    /// The newest state, for any owner and also of a deleted session.
    pub(crate) async fn newest(&self, session: SessionId) -> Result<Option<State>, ReadError> {
        let newest = self.newest_entry(session).await?;
        Ok(newest.map(|entry| entry.state))
    }

    /// The newest entry without its events: one strongly consistent query of one item, backwards.
    pub(crate) async fn newest_entry(
        &self,
        session: SessionId,
    ) -> Result<Option<EntryHead>, ReadError> {
        let request = self
            .query()
            .key_condition_expression("PK = :pk AND begins_with(SK, :log)")
            .expression_attribute_values(":pk", text(keys::session(session)))
            .expression_attribute_values(":log", text(keys::LOG))
            .scan_index_forward(false)
            .limit(1)
            .consistent_read(true);
        let newest = Self::pages(request, None).next().await?;
        let newest = newest.and_then(|mut page| page.pop());
        Ok(newest.map(EntryHead::from_item).transpose()?)
    }

    /// Tries once to append.
    async fn append(
        &self,
        transaction: &CommitTransaction<'_>,
    ) -> Result<AppendOutcome, ChangeError> {
        if transaction.rows.is_empty() {
            return match self.put_new(transaction.entry_item.clone()).await {
                Ok(()) => Ok(AppendOutcome::Committed),
                Err(error) => put_failed(error, transaction.entry.commit),
            };
        }
        match self.transact(transaction.items()).await {
            Ok(()) => Ok(AppendOutcome::Committed),
            Err(error) => transaction_failed(error, transaction),
        }
    }

    /// The session of a used request key, when it was deleted: the key may then be used again.
    async fn deleted_session_of(
        &self,
        used: Box<RequestKeyItem>,
    ) -> Result<SessionId, ChangeError> {
        match self.newest(used.session_id).await? {
            Some(state) if !state.is_deleted() => Err(ChangeError::KeyTaken(used)),
            _ => Ok(used.session_id),
        }
    }
}
