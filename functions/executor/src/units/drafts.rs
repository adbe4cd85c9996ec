//! A run's work files: what a unit brought, for the units behind it. They stand in the bucket beside the run's artifacts,
//! are in no list, and go with the session; the log holds none of it.

use documents::{ArtifactError, ArtifactName, Files, Place};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Serialize, de::DeserializeOwned};
use session::RunId;
use workflow::Failed;

/// The most of a draft that is read: the metadata of a few hundred papers of large collaborations.
const MAX_BYTES: u64 = 32 << 20;

/// How many drafts are read at a time.
const AT_ONCE: usize = 16;

/// The files of one run.
#[derive(Debug, Clone)]
pub(crate) struct Drafts {
    files: Files,
    run: RunId,
}

impl Drafts {
    pub const fn new(files: Files, run: RunId) -> Self {
        Self { files, run }
    }

    /// Writes a draft; the same name replaces, so that a unit may be done twice.
    pub async fn write(&self, name: &str, draft: &impl Serialize) -> Result<(), Failed> {
        let place = Place::Draft(self.run, named(name));
        self.put(&place, draft).await
    }

    /// Writes an artifact as JSON for people.
    pub async fn publish_json(&self, name: &str, content: &impl Serialize) -> Result<(), Failed> {
        let json = serde_json::to_vec_pretty(content).map_err(|_| lost(name))?;
        self.publish(&named(name), json).await
    }

    /// Writes an artifact.
    pub async fn publish(
        &self,
        name: &ArtifactName,
        content: impl Into<bytes::Bytes>,
    ) -> Result<(), Failed> {
        let place = Place::Run(self.run, name.clone());
        self.files.put(&place, content).await.map_err(not_kept)
    }

    /// A draft that an earlier unit wrote.
    pub async fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, Failed> {
        self.find(name).await?.ok_or_else(|| lost(name))
    }

    /// A draft, if it was written.
    pub async fn find<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failed> {
        let place = Place::Draft(self.run, named(name));
        match self.files.find(&place, MAX_BYTES).await {
            Ok(Some(json)) => serde_json::from_slice(&json).map_err(|_| lost(name)),
            Ok(None) => Ok(None),
            Err(error) => Err(not_kept(error)),
        }
    }

    /// The drafts of the units 1 to `count`, in order.
    pub async fn all<T: DeserializeOwned>(
        &self,
        name: impl Fn(usize) -> String,
        count: usize,
    ) -> Result<Vec<T>, Failed> {
        let reads = (1..=count).map(|unit| {
            let name = name(unit);
            async move { self.read(&name).await }
        });
        stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }

    async fn put(&self, place: &Place, draft: &impl Serialize) -> Result<(), Failed> {
        let json = serde_json::to_vec(draft).map_err(|_| lost(place.name().as_str()))?;
        self.files.put(place, json).await.map_err(not_kept)
    }
}

/// A name that this crate chose.
pub(crate) fn named(name: &str) -> ArtifactName {
    name.parse().expect("our own names are short, and plain")
}

/// The bucket does not answer; it may, the next time.
pub(crate) fn not_kept(error: ArtifactError) -> Failed {
    tracing::error!(causes = lambda_kit::causes(&error), "file not kept");
    Failed {
        error: "A file of the run could not be stored or read.".into(),
        code: "storage_unavailable".into(),
        error_type: "StorageError".into(),
        retryable: true,
        usages: Vec::new(),
    }
}

fn lost(name: &str) -> Failed {
    Failed {
        error: format!("What the run kept as {name} cannot be read."),
        code: "draft_lost".into(),
        error_type: "StorageError".into(),
        retryable: false,
        usages: Vec::new(),
    }
}
