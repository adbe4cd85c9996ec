//! A folder of this machine for the length of a slice; what a killed worker left goes with its sandbox.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// It is removed with all that is in it when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("document-{}", Uuid::new_v4()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// A file in it, whose name ends as the document's does: a reader holds that against the bytes.
    pub fn file(&self, ending: &str) -> PathBuf {
        Path::new(&self.0).join("document").with_extension(ending)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "a folder stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_folder_that_was_dropped() {
        let folder = Folder::new().unwrap();
        let file = folder.file("pdf");
        fs::write(&file, "%PDF-").unwrap();
        assert!(file.ends_with("document.pdf"));
        drop(folder);
        assert!(!file.exists());
    }
}
