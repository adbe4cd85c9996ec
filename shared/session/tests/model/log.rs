//! The session's items in the table, as far as somebody may still run into them.
//!
//! A put takes the place that its key names, whatever was there; that it has a condition is the protocol's doing.

use std::sync::Arc;

use session::{Seq, State};

use crate::world::Who;

/// An entry of the log; its last seq is its state's.
#[derive(Debug, Clone)]
pub struct Entry {
    pub first: Seq,
    pub state: Arc<State>,
    /// Who wrote it, as long as the writer still needs to know its own entry by the commit's id.
    pub commit: Option<Who>,
}

/// The newest entry, and those before it that somebody may still run into.
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

    /// The entry at a place.
    pub fn at(&self, place: Seq) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.first == place)
    }

    /// Puts an item, as a table does: what was at its place is gone.
    pub fn put(&mut self, entry: Entry) {
        self.entries.retain(|other| other.first != entry.first);
        self.entries.push(entry);
        self.entries.sort_by_key(|entry| entry.first);
    }

    /// Nobody will ask any more which entries were this writer's.
    pub fn disown(&mut self, who: Who) {
        for entry in &mut self.entries {
            entry.commit = entry.commit.filter(|writer| *writer != who);
        }
    }

    /// Removes everything but the newest entry.
    pub fn purge(&mut self) {
        self.keep_from(None);
        self.purged = true;
    }

    /// Forgets what lies before a place; never the newest entry.
    pub fn keep_from(&mut self, place: Option<Seq>) {
        let newest = self.newest().first;
        let place = place.map_or(newest, |place| place.min(newest));
        self.entries.retain(|entry| entry.first >= place);
    }
}
