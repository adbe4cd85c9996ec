//! The log entries of the session that a writer can still reach.
//!
//! `put` replaces the entry at its position. The protocol adds the condition.

use std::sync::Arc;

use session::{Seq, State};

use crate::world::Writer;

/// A log entry. Its state holds its last seq.
#[derive(Debug, Clone)]
pub struct Entry {
    pub first: Seq,
    pub state: Arc<State>,
    /// The writer, while it may still need to recognise its entry by the commit id.
    pub commit: Option<Writer>,
}

/// The newest entry, and the earlier ones that a writer can still reach.
#[derive(Debug, Clone)]
pub struct Log {
    entries: Vec<Entry>,
    /// Whether all but the newest were removed by a purge.
    pub purged: bool,
}

impl Log {
    pub fn beginning_with(state: State) -> Self {
        let first = Entry {
            first: Seq(1),
            state: Arc::new(state),
            commit: None,
        };
        Self {
            entries: vec![first],
            purged: false,
        }
    }

    pub fn newest(&self) -> &Entry {
        self.entries.last().expect("a log is never empty")
    }

    /// Returns the entry at a position.
    pub fn at(&self, position: Seq) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.first == position)
    }

    /// Puts an entry and replaces the one at its position, as a table does.
    pub fn put(&mut self, entry: Entry) {
        self.entries.retain(|other| other.first != entry.first);
        self.entries.push(entry);
        self.entries.sort_by_key(|entry| entry.first);
    }

    /// Removes the commit ids of a writer that has ended its append.
    pub fn forget_commit_ids(&mut self, writer: Writer) {
        for entry in &mut self.entries {
            entry.commit = entry.commit.filter(|other| *other != writer);
        }
    }

    /// Removes everything but the newest entry.
    pub fn purge(&mut self) {
        self.keep_from(None);
        self.purged = true;
    }

    /// Drops the entries before a position, but never the newest entry.
    pub fn keep_from(&mut self, position: Option<Seq>) {
        let newest = self.newest().first;
        let position = position.map_or(newest, |position| position.min(newest));
        self.entries.retain(|entry| entry.first >= position);
    }
}
