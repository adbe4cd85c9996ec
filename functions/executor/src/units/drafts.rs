//! A run's work files: what a unit brought, for the units behind it. They stand in the bucket beside the run's artifacts,
//! are in no list, and go with the session; the log holds none of it.

use documents::{ArtifactError, ArtifactKey, ArtifactName, SessionFiles};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Serialize, de::DeserializeOwned};
use session::RunId;
use workflow::StageFailure;

/// The most of a draft that is read: the metadata of a few hundred papers of large collaborations.
const MAX_BYTES: u64 = 32 << 20;

/// The most of all drafts together, for a process that has a few hundred megabytes.
const MAX_TOGETHER: usize = 48 << 20;

/// How many drafts are read at a time.
const AT_ONCE: usize = 16;

/// The files of one run.
#[derive(Debug, Clone)]
pub(crate) struct WorkFiles {
    files: SessionFiles,
    run: RunId,
}

impl WorkFiles {
    pub const fn new(files: SessionFiles, run: RunId) -> Self {
        Self { files, run }
    }

    /// Writes a draft; the same name replaces, so that a unit may be done twice.
    pub async fn write(&self, name: &str, draft: &impl Serialize) -> Result<(), StageFailure> {
        let place = ArtifactKey::Draft(self.run, named(name));
        self.put(&place, draft).await
    }

    /// Writes an artifact as JSON for people.
    pub async fn publish_json(
        &self,
        name: &str,
        content: &impl Serialize,
    ) -> Result<(), StageFailure> {
        let json = serde_json::to_vec_pretty(content).map_err(|_| lost(name))?;
        self.publish(&named(name), json).await
    }

    /// Writes an artifact.
    pub async fn publish(
        &self,
        name: &ArtifactName,
        content: impl Into<bytes::Bytes>,
    ) -> Result<(), StageFailure> {
        let place = ArtifactKey::Run(self.run, name.clone());
        self.files.put(&place, content).await.map_err(not_kept)
    }

    /// An artifact that an earlier unit wrote as JSON.
    pub async fn read_published<T: DeserializeOwned>(&self, name: &str) -> Result<T, StageFailure> {
        let place = ArtifactKey::Run(self.run, named(name));
        let (found, _) = self.get(&place).await?;
        found.ok_or_else(|| lost(name))
    }

    /// A draft that an earlier unit wrote.
    pub async fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, StageFailure> {
        self.find(name).await?.ok_or_else(|| lost(name))
    }

    /// A draft, if it was written.
    pub async fn find<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StageFailure> {
        let place = ArtifactKey::Draft(self.run, named(name));
        self.get(&place).await.map(|(found, _)| found)
    }

    /// The drafts of the units 1 to `count`, in order; together they must fit into this process.
    pub async fn all<T: DeserializeOwned>(
        &self,
        name: impl Fn(usize) -> String,
        count: usize,
    ) -> Result<Vec<T>, StageFailure> {
        let reads = (1..=count).map(|unit| {
            let name = name(unit);
            async move {
                let place = ArtifactKey::Draft(self.run, named(&name));
                let (found, bytes) = self.get(&place).await?;
                Ok::<_, StageFailure>((found.ok_or_else(|| lost(&name))?, bytes))
            }
        });
        let mut reads = stream::iter(reads).buffered(AT_ONCE);
        let (mut all, mut bytes) = (Vec::new(), 0);
        while let Some((draft, length)) = reads.try_next().await? {
            bytes += length;
            if bytes > MAX_TOGETHER {
                return Err(too_much());
            }
            all.push(draft);
        }
        Ok(all)
    }

    /// A file as JSON, if it is there, and its length.
    async fn get<T: DeserializeOwned>(
        &self,
        place: &ArtifactKey,
    ) -> Result<(Option<T>, usize), StageFailure> {
        match self.files.find(place, MAX_BYTES).await {
            Ok(Some(json)) => {
                let found = serde_json::from_slice(&json);
                let found = found.map_err(|_| lost(place.name().as_str()))?;
                Ok((Some(found), json.len()))
            }
            Ok(None) => Ok((None, 0)),
            Err(error) => Err(not_kept(error)),
        }
    }

    async fn put(&self, place: &ArtifactKey, draft: &impl Serialize) -> Result<(), StageFailure> {
        let json = serde_json::to_vec(draft).map_err(|_| lost(place.name().as_str()))?;
        self.files.put(place, json).await.map_err(not_kept)
    }
}

/// A name that this crate chose.
pub(crate) fn named(name: &str) -> ArtifactName {
    name.parse().expect("our own names are short, and plain")
}

/// The bucket does not answer; it may, the next time.
pub(crate) fn not_kept(error: ArtifactError) -> StageFailure {
    tracing::error!(causes = lambda_kit::causes(&error), "file not kept");
    StageFailure {
        error: "A file of the run could not be stored or read.".into(),
        code: "storage_unavailable".into(),
        error_type: "StorageError".into(),
        retryable: true,
        usages: Vec::new(),
    }
}

/// What stands there is not what was written, now and at any later time.
pub(crate) fn lost(name: &str) -> StageFailure {
    StageFailure {
        error: format!("What the run kept as {name} cannot be read."),
        code: "draft_lost".into(),
        error_type: "StorageError".into(),
        retryable: false,
        usages: Vec::new(),
    }
}

fn too_much() -> StageFailure {
    StageFailure {
        error: format!(
            "All of it together is larger than {} MiB.",
            MAX_TOGETHER >> 20
        ),
        code: "too_large".into(),
        error_type: "SizeLimit".into(),
        retryable: false,
        usages: Vec::new(),
    }
}
