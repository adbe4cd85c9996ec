//! The files of a run: its drafts and artifacts in the bucket, and temporary files on the local
//! disk.
//!
//! A draft is the result of one document task, as JSON, for the tasks after it. Drafts stand beside
//! the run's artifacts, appear in no listing, and are deleted with the session. The log does not
//! hold them.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use documents::{ArtifactError, ArtifactKey, ArtifactName, SessionFiles};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Serialize, de::DeserializeOwned};
use session::RunId;
use tempfile::TempDir;
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
pub(crate) struct WorkFiles {
    files: SessionFiles,
    run: RunId,
}

impl WorkFiles {
    pub const fn new(files: SessionFiles, run: RunId) -> Self {
        Self { files, run }
    }

    /// Writes a draft. An existing draft is rekeyd, so that a task may be repeated.
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
pub(crate) fn fixed_name(name: &str) -> ArtifactName {
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
pub(crate) fn unreadable(name: &str) -> StageFailure {
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

/// What the names of temporary folders begin with.
const FOLDER_PREFIX: &str = "document-";

/// A temporary file on the local disk. Dropping it removes it. A killed worker leaves its file to
/// the next one, which sweeps.
#[derive(Debug)]
pub(crate) struct LocalFile {
    pub path: PathBuf,
    _folder: TempDir,
    /// Locked while its worker lives.
    _lock: File,
}

impl LocalFile {
    /// Chooses a path with this ending, which a reader compares with the content.
    pub fn new(ending: &str) -> Result<Self, ArtifactError> {
        Self::inside(&std::env::temp_dir(), ending).map_err(ArtifactError::Local)
    }

    fn inside(parent: &Path, ending: &str) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(FOLDER_PREFIX)
            .tempdir_in(parent)?;
        let lock = File::open(folder.path())?;
        lock.try_lock()?;
        let path = folder.path().join("document").with_extension(ending);
        Ok(Self {
            path,
            _folder: folder,
            _lock: lock,
        })
    }
}

/// Removes the temporary folders of killed workers. The kernel has released their locks. Lambda
/// keeps `/tmp` from one worker to the next of a sandbox, and it is small.
pub(crate) fn sweep_leftovers() {
    let folder = std::env::temp_dir();
    match leftovers(&folder) {
        Ok(0) => {}
        Ok(removed) => tracing::warn!(removed, "files of a killed worker removed"),
        Err(error) => tracing::warn!(%error, "files of killed workers not removed"),
    }
}

/// Removes the folders without a living owner, and counts them.
fn leftovers(parent: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in parent.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().and_then(OsStr::to_str);
        if !name.is_some_and(|name| name.starts_with(FOLDER_PREFIX)) {
            continue;
        }
        // Another worker may be removing its own folder.
        let is_left = File::open(&path).is_ok_and(|folder| folder.try_lock().is_ok());
        removed += usize::from(is_left && std::fs::remove_dir_all(&path).is_ok());
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_killed_worker_is_swept_and_no_other() {
        let parent = TempDir::new().unwrap();
        let alive = LocalFile::inside(parent.path(), "pdf").unwrap();
        std::fs::write(&alive.path, "%PDF-").unwrap();
        // The lock of a killed worker is released, and nothing is removed.
        let LocalFile {
            path,
            _folder: folder,
            _lock: lock,
        } = LocalFile::inside(parent.path(), "pdf").unwrap();
        std::fs::write(&path, "%PDF-").unwrap();
        let left = folder.keep();
        drop(lock);
        let foreign = parent.path().join("other");
        std::fs::create_dir(&foreign).unwrap();
        assert_eq!(leftovers(parent.path()).unwrap(), 1);
        assert!(!left.exists() && foreign.exists() && alive.path.exists());
        assert_eq!(leftovers(parent.path()).unwrap(), 0);
    }

    #[test]
    fn a_dropped_local_file_is_removed() {
        let file = LocalFile::new("pdf").unwrap();
        let path = file.path.clone();
        std::fs::write(&path, "%PDF-").unwrap();
        assert!(path.ends_with("document.pdf"));
        drop(file);
        assert!(!path.exists());
    }
}
