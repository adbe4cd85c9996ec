//! The files of a run, as `files_updated` lists them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The files of a run so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "StoredTrackedFiles")]
#[schemars(!from)]
pub struct TrackedFiles {
    /// How many files there are.
    pub files_tracked: usize,
    /// Their names, in the order in which they were made.
    pub files: Vec<String>,
    /// The node whose work stored a file; null if files of an earlier turn are listed again, and
    /// in events that older versions stored.
    pub node_id: Option<String>,
}

/// Also reads events whose `files_tracked` holds the names.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredTrackedFiles {
    Named {
        files: Vec<String>,
        node_id: Option<String>,
    },
    Unnamed {
        files_tracked: Vec<String>,
    },
}

impl From<StoredTrackedFiles> for TrackedFiles {
    fn from(stored: StoredTrackedFiles) -> Self {
        match stored {
            StoredTrackedFiles::Named { files, node_id } => Self::new(files, node_id),
            StoredTrackedFiles::Unnamed { files_tracked } => Self::new(files_tracked, None),
        }
    }
}

impl TrackedFiles {
    /// These files, the newest of them from a node.
    pub const fn new(files: Vec<String>, node_id: Option<String>) -> Self {
        Self {
            files_tracked: files.len(),
            files,
            node_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Event, StoredEventBody};

    #[test]
    fn files_are_counted_also_in_events_that_stored_their_names_alone() {
        let current = json!({"files_tracked": 2, "files": ["a", "b"], "node_id": "step_1"});
        let earlier = json!({"files_tracked": 2, "files": ["a", "b"], "node_id": null});
        for (stored, shown) in [
            (&current, &current),
            (&earlier, &earlier),
            (&json!({"files_tracked": ["a", "b"]}), &earlier),
        ] {
            let event = json!({"event_type": "files_updated", "data": stored});
            let event: Event = serde_json::from_value(event).unwrap();
            assert!(matches!(event.body, StoredEventBody::Known(_)), "{stored}");
            assert_eq!(&serde_json::to_value(event).unwrap()["data"], shown);
        }
    }
}
