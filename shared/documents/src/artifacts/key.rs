//! The key of a file within its session's folder.
//!
//! `<run>/<name>` is an artifact of a run. `uploads/<name>` is an upload of a client.
//! `drafts/<run>/<name>` is an internal work file of a run, which no client sees. A run is a UUID,
//! so its folder cannot collide with the other two.

use std::fmt;
use std::str::FromStr;

use session::{ArtifactName, RunId};

/// The folder of all drafts, and the key that sorts directly after all of them.
pub(super) const DRAFTS: &str = "drafts/";
pub(super) const BEHIND_DRAFTS: &str = "drafts0";

const UPLOADS: &str = "uploads/";

/// A file of a session. Its text form is the key relative to the session's folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ArtifactKey {
    /// An artifact that a run has written.
    Run(RunId, ArtifactName),
    /// A file that a client has uploaded.
    Upload(ArtifactName),
    /// A work file of a run. Listings omit it; a purge of the session deletes it.
    Draft(RunId, ArtifactName),
}

impl ArtifactKey {
    /// The run that wrote the file; none for an upload.
    pub const fn run(&self) -> Option<RunId> {
        match self {
            Self::Run(run, _) | Self::Draft(run, _) => Some(*run),
            Self::Upload(_) => None,
        }
    }

    /// The file's name.
    pub const fn name(&self) -> &ArtifactName {
        match self {
            Self::Run(_, name) | Self::Upload(name) | Self::Draft(_, name) => name,
        }
    }

    /// The content type of a file that a run has written, by its extension. The default is text,
    /// which also fits source code.
    pub fn content_type(&self) -> &'static str {
        match self.name().ending().as_str() {
            "csv" => "text/csv; charset=utf-8",
            "jpeg" | "jpg" => "image/jpeg",
            "json" => "application/json",
            "md" => "text/markdown; charset=utf-8",
            "pdf" => "application/pdf",
            "png" => "image/png",
            "tif" | "tiff" => "image/tiff",
            "webp" => "image/webp",
            "xml" => "application/xml",
            "zip" => "application/zip",
            _ => "text/plain; charset=utf-8",
        }
    }
}

/// The text is not the key of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the place of a file")]
pub struct InvalidPlace;

impl FromStr for ArtifactKey {
    type Err = InvalidPlace;

    fn from_str(key: &str) -> Result<Self, InvalidPlace> {
        let name = |name: &str| ArtifactName::of_stored(name).map_err(|_| InvalidPlace);
        let in_run = |key: &str| {
            let (run, file) = key.split_once('/').ok_or(InvalidPlace)?;
            Ok((run.parse().map_err(|_| InvalidPlace)?, name(file)?))
        };
        if let Some(file) = key.strip_prefix(UPLOADS) {
            Ok(Self::Upload(name(file)?))
        } else if let Some(key) = key.strip_prefix(DRAFTS) {
            in_run(key).map(|(run, name)| Self::Draft(run, name))
        } else {
            in_run(key).map(|(run, name)| Self::Run(run, name))
        }
    }
}

impl fmt::Display for ArtifactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run, name) => write!(f, "{run}/{name}"),
            Self::Upload(name) => write!(f, "{UPLOADS}{name}"),
            Self::Draft(run, name) => write!(f, "{DRAFTS}{run}/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    #[test]
    fn each_kind_of_file_has_its_folder_and_is_read_back() {
        let (run, name): (RunId, ArtifactName) =
            (RUN.parse().unwrap(), "paper.pdf".parse().unwrap());
        for (place, key) in [
            (
                ArtifactKey::Run(run, name.clone()),
                format!("{RUN}/paper.pdf"),
            ),
            (
                ArtifactKey::Upload(name.clone()),
                "uploads/paper.pdf".into(),
            ),
            (
                ArtifactKey::Draft(run, name),
                format!("drafts/{RUN}/paper.pdf"),
            ),
        ] {
            assert_eq!(place.to_string(), key);
            assert_eq!(key.parse(), Ok(place));
        }
    }

    #[test]
    fn a_text_that_is_no_key_is_refused() {
        for key in [
            "",
            "paper.pdf",
            "uploads/",
            "uploads/..",
            "uploads/a/b",
            "drafts/paper.pdf",
            &format!("drafts/{RUN}/"),
            &format!("{RUN}/a/b"),
            &format!("{RUN}/.."),
            &format!("{}/a", RUN.to_uppercase()),
            &format!("/{RUN}/a"),
        ] {
            assert_eq!(key.parse::<ArtifactKey>(), Err(InvalidPlace), "{key:?}");
        }
    }

    #[test]
    fn a_run_file_has_a_content_type_by_its_extension() {
        for (name, content_type) in [
            ("scan.md", "text/markdown; charset=utf-8"),
            ("2101.00001.pdf", "application/pdf"),
            ("pages.JSON", "application/json"),
            ("step_1_count.py", "text/plain; charset=utf-8"),
            ("Makefile", "text/plain; charset=utf-8"),
        ] {
            let place = ArtifactKey::Run(RUN.parse().unwrap(), name.parse().unwrap());
            assert_eq!(place.content_type(), content_type);
        }
    }

    #[test]
    fn no_draft_sorts_after_the_end_of_the_drafts() {
        let last = format!("{DRAFTS}{}", "\u{10ffff}");
        assert!(last.as_str() < BEHIND_DRAFTS && BEHIND_DRAFTS < UPLOADS);
    }
}
