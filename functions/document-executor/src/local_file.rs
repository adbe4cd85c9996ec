//! Temporary files on the local disk.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use documents::ArtifactError;
use tempfile::TempDir;

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
