//! The files of a run in the bucket: its drafts and its artifacts.
//!
//! A draft is the result of one document task, as JSON, for the tasks after it. Drafts stand beside
//! the run's artifacts, appear in no listing, and are deleted with the session. The log does not
//! hold them.

use documents::{ArtifactError, ArtifactKey, ArtifactName, SessionFiles};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Serialize, de::DeserializeOwned};
use session::RunId;
use workflow::StageFailure;

use super::{failure, temporary_failure};

/// The largest draft that is read: the metadata of a few hundred papers of large collaborations.
const MAX_BYTES: u64 = 32 << 20;

/// The most that all drafts of a run have together: a process has a few hundred megabytes.
const MAX_TOTAL_BYTES: usize = 48 << 20;

/// How many drafts are read concurrently.
const CONCURRENT_READS: usize = 16;

/// The drafts and artifacts of one run.
#[derive(Debug, Clone)]
pub struct WorkFiles {
    files: SessionFiles,
    run: RunId,
}

impl WorkFiles {
    /// The files of a run of the session with these files.
    pub const fn new(files: SessionFiles, run: RunId) -> Self {
        Self { files, run }
    }

    /// Writes a draft. An existing draft is replaced, so that a task may be repeated.
    pub async fn write(&self, name: &str, draft: &impl Serialize) -> Result<(), StageFailure> {
        let key = ArtifactKey::Draft(self.run, fixed_name(name));
        self.put(&key, draft).await
    }

    /// Writes an artifact as indented JSON.
    pub async fn publish_json(
        &self,
        name: &str,
        content: &impl Serialize,
    ) -> Result<(), StageFailure> {
        let json = serde_json::to_vec_pretty(content).map_err(|_| unreadable(name))?;
        self.publish(&fixed_name(name), json).await
    }

    /// Writes an artifact.
    pub async fn publish(
        &self,
        name: &ArtifactName,
        content: impl Into<bytes::Bytes>,
    ) -> Result<(), StageFailure> {
        let key = ArtifactKey::Run(self.run, name.clone());
        self.files
            .put(&key, content)
            .await
            .map_err(storage_unavailable)
    }

    /// Reads a JSON artifact that an earlier task wrote.
    pub async fn read_published<T: DeserializeOwned>(&self, name: &str) -> Result<T, StageFailure> {
        let key = ArtifactKey::Run(self.run, fixed_name(name));
        let (found, _) = self.get(&key).await?;
        found.ok_or_else(|| unreadable(name))
    }

    /// Reads a draft that an earlier task wrote.
    pub async fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, StageFailure> {
        self.find(name).await?.ok_or_else(|| unreadable(name))
    }

    /// Reads a draft, if it was written.
    pub async fn find<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StageFailure> {
        let key = ArtifactKey::Draft(self.run, fixed_name(name));
        self.get(&key).await.map(|(found, _)| found)
    }

    /// Reads the drafts 1 to `count`, in order. Together they must fit into this process.
    pub async fn read_all<T: DeserializeOwned>(
        &self,
        name: impl Fn(usize) -> String,
        count: usize,
    ) -> Result<Vec<T>, StageFailure> {
        let reads = (1..=count).map(|number| {
            let name = name(number);
            async move {
                let key = ArtifactKey::Draft(self.run, fixed_name(&name));
                let (found, bytes) = self.get(&key).await?;
                Ok::<_, StageFailure>((found.ok_or_else(|| unreadable(&name))?, bytes))
            }
        });
        let mut reads = stream::iter(reads).buffered(CONCURRENT_READS);
        let (mut all, mut bytes) = (Vec::new(), 0);
        while let Some((draft, length)) = reads.try_next().await? {
            bytes += length;
            if bytes > MAX_TOTAL_BYTES {
                return Err(too_much());
            }
            all.push(draft);
        }
        Ok(all)
    }

    /// Reads a JSON file, if it exists, and its length.
    async fn get<T: DeserializeOwned>(
        &self,
        key: &ArtifactKey,
    ) -> Result<(Option<T>, usize), StageFailure> {
        match self.files.find(key, MAX_BYTES).await {
            Ok(Some(json)) => {
                let found = serde_json::from_slice(&json);
                let found = found.map_err(|_| unreadable(key.name().as_str()))?;
                Ok((Some(found), json.len()))
            }
            Ok(None) => Ok((None, 0)),
            Err(error) => Err(storage_unavailable(error)),
        }
    }

    async fn put(&self, key: &ArtifactKey, draft: &impl Serialize) -> Result<(), StageFailure> {
        let json = serde_json::to_vec(draft).map_err(|_| unreadable(key.name().as_str()))?;
        self.files.put(key, json).await.map_err(storage_unavailable)
    }
}

/// An artifact name that this crate chose.
pub fn fixed_name(name: &str) -> ArtifactName {
    name.parse()
        .expect("the names of this crate are short and plain")
}

/// The bucket or the local disk failed; the next attempt may succeed.
pub(crate) fn storage_unavailable(error: ArtifactError) -> StageFailure {
    tracing::error!(
        causes = lambda_kit::causes(&error),
        "file not stored or read"
    );
    let sentence = "A file of the run could not be stored or read.";
    StageFailure {
        error_type: "StorageError".into(),
        ..temporary_failure("storage_unavailable", sentence)
    }
}

/// The stored file is not what was written. This failure is permanent.
pub(super) fn unreadable(name: &str) -> StageFailure {
    let sentence = format!("What the run kept as {name} cannot be read.");
    StageFailure {
        error_type: "StorageError".into(),
        ..failure("draft_lost", sentence)
    }
}

fn too_much() -> StageFailure {
    let mib = MAX_TOTAL_BYTES >> 20;
    StageFailure {
        error_type: "SizeLimit".into(),
        ..failure(
            "too_large",
            format!("All of it together is larger than {mib} MiB."),
        )
    }
}
