//! The append protocol: the only way in which a session changes.
//!
//! An entry is put behind the newest one that the writer knows, on the condition that its place is free. A refused put brings
//! the entry that has the place: with its state the command is decided again, without a read. Only who loses twice in a row reads
//! the newest entry first. Is the entry in place our own, by its commit id, then a put was repeated whose reply was lost, and
//! the commit stands. Conditions decide, never clocks.

use std::time::Duration;

use session::{Change, Command, CommitId, SessionId, State, Timestamp};
use uuid::Uuid;

use crate::error::{ChangeError, StorageError};
use crate::items::{LogEntry, RequestKeyItem, text};
use crate::outcome::{Appended, refused_put, refused_transaction};
use crate::write::{Extras, Write};
use crate::{Committed, ReadError, SessionManager, keys, wire};

/// The tries that one change has.
pub(crate) struct Tries {
    pauses: Box<dyn Iterator<Item = Duration> + Send>,
    lost: bool,
    trouble: Option<StorageError>,
}

impl Tries {
    pub fn new() -> Self {
        Self {
            pauses: Box::new(wire::pauses()),
            lost: false,
            trouble: None,
        }
    }

    /// Takes the next try at once, if no race was lost before.
    pub fn at_once(&mut self) -> bool {
        let first = !std::mem::replace(&mut self.lost, true);
        first && self.pauses.next().is_some()
    }

    /// Waits for the next try, if there is one left.
    pub async fn pause(&mut self) -> Result<(), ChangeError> {
        let pause = self.pauses.next().ok_or_else(|| self.spent())?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Waits for the next try after trouble with the service.
    pub async fn after_trouble(&mut self, error: StorageError) -> Result<(), ChangeError> {
        self.trouble = Some(error);
        self.pause().await
    }

    fn spent(&mut self) -> ChangeError {
        match self.trouble.take() {
            Some(error) if error.is_throttled() => ChangeError::Unavailable(error),
            _ => ChangeError::Contention,
        }
    }
}

/// What a commit builds on.
pub(crate) enum Base<'a> {
    /// Nothing: it is a session's first.
    NewSession(Change),
    /// A state, and what is wanted of it.
    On(State, &'a Command),
}

impl Base<'_> {
    fn decide(&self, manager: &SessionManager, now: Timestamp) -> Result<Change, ChangeError> {
        match self {
            Self::NewSession(change) => Ok(change.clone()),
            Self::On(state, command) => manager
                .rules
                .decide(state, command, now)
                .map_err(|refusal| ChangeError::Refused(refusal, Some(Box::new(state.clone())))),
        }
    }

    const fn before(&self) -> Option<&State> {
        match self {
            Self::NewSession(_) => None,
            Self::On(state, _) => Some(state),
        }
    }

    /// The same command, on the state of those who were first.
    fn lost_to(self, newer: State) -> Result<Self, ChangeError> {
        match self {
            // Two new sessions under one id: the second one has no business there.
            Self::NewSession(_) => Err(ChangeError::Contention),
            Self::On(_, command) => Ok(Self::On(newer, command)),
        }
    }
}

impl SessionManager {
    /// Decides and appends until it stands, or until there is an answer why it does not.
    pub(crate) async fn commit(
        &self,
        mut base: Base<'_>,
        mut extras: Extras<'_>,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        let commit = CommitId::new(Uuid::new_v4());
        let mut tries = Tries::new();
        loop {
            let change = base.decide(self, now)?;
            let write = Write::new(
                &self.table,
                &self.rules,
                base.before(),
                &change,
                &extras,
                (commit, now),
            )?;
            match self.append(&write).await? {
                Appended::Stands => return Ok(Committed::of(write)),
                Appended::Lost(entry) => {
                    base = self.after_loss(base, entry.state, &mut tries).await?;
                }
                Appended::KeyTaken(record) => {
                    extras.gone = Some(self.gone_session_of(record).await?);
                    tries.pause().await?;
                }
                Appended::TaskKeyGone => extras.without_task_key = true,
                Appended::Busy(error) => tries.after_trouble(error).await?,
            }
        }
    }

    /// The base for the next try. The entry that was first brings it, the first time; if that was not the newest one either,
    /// it is read: whoever walks from one entry to the next never catches up with busy writers.
    async fn after_loss<'a>(
        &self,
        base: Base<'a>,
        newer: State,
        tries: &mut Tries,
    ) -> Result<Base<'a>, ChangeError> {
        let session = newer.session_id;
        tracing::debug!(%session, "somebody else's entry was first");
        let base = base.lost_to(newer)?;
        if tries.at_once() {
            return Ok(base);
        }
        tries.pause().await?;
        let newest = self.newest(session).await?;
        base.lost_to(newest.ok_or(ReadError::NoSuchSession)?)
    }

    /// The newest state; deleted or not, whoever's it is.
    pub(crate) async fn newest(&self, session: SessionId) -> Result<Option<State>, ReadError> {
        let newest = self.newest_entry(session).await?;
        Ok(newest.map(|entry| entry.state))
    }

    /// The newest entry: one strongly consistent query backwards.
    pub(crate) async fn newest_entry(
        &self,
        session: SessionId,
    ) -> Result<Option<LogEntry>, ReadError> {
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
        Ok(newest.map(LogEntry::from_item).transpose()?)
    }

    /// Tries once to append.
    async fn append(&self, write: &Write) -> Result<Appended, ChangeError> {
        let ours = write.entry.commit;
        if write.rows.is_empty() {
            return match self.put_new(write.entry_item.clone()).await {
                Ok(()) => Ok(Appended::Stands),
                Err(error) => refused_put(error, ours),
            };
        }
        match self.transact(write.transaction(&self.table)).await {
            Ok(()) => Ok(Appended::Stands),
            Err(error) => refused_transaction(error, write),
        }
    }

    /// The session that a key led to, if it is gone; the key may then be used again.
    async fn gone_session_of(&self, record: Box<RequestKeyItem>) -> Result<SessionId, ChangeError> {
        let state = self.newest(record.session_id).await?;
        match state {
            Some(state) if !state.is_deleted() => Err(ChangeError::KeyTaken(record)),
            _ => Ok(record.session_id),
        }
    }
}
