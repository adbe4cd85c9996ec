//! Where a file stands in its session's folder, and what that says about it.
//!
//! `<run>/<name>` is an artifact of a run, `uploads/<name>` what a client has brought, `drafts/<run>/<name>` a work file of a
//! run that nobody is shown. A run is a UUID, so no run's folder can be mistaken for one of the other two.

use std::fmt;
use std::str::FromStr;

use session::RunId;

use super::name::ArtifactName;

/// The folder of all drafts, and what sorts directly behind everything in it.
pub(super) const DRAFTS: &str = "drafts/";
pub(super) const BEHIND_DRAFTS: &str = "drafts0";

const UPLOADS: &str = "uploads/";

/// A file of a session. As text, its key below the session's folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ArtifactKey {
    /// What a run has made.
    Run(RunId, ArtifactName),
    /// What a client has brought.
    Upload(ArtifactName),
    /// A run's work file. It is in no list, and goes with the session.
    Draft(RunId, ArtifactName),
}

impl ArtifactKey {
    /// The run whose file it is; none of an upload.
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

    /// The type of what a run writes, by its name's ending. What has no row is text, as the programs of any language are.
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

/// The text is no place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the place of a file")]
pub struct InvalidPlace;

impl FromStr for ArtifactKey {
    type Err = InvalidPlace;

    fn from_str(key: &str) -> Result<Self, InvalidPlace> {
        let name = |name: &str| name.parse().map_err(|_| InvalidPlace);
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
    fn what_is_no_place_is_not_read_as_one() {
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
    fn what_a_run_writes_has_a_type_by_its_ending() {
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
    fn behind_the_drafts_comes_nothing_that_is_a_draft() {
        let last = format!("{DRAFTS}{}", "\u{10ffff}");
        assert!(last.as_str() < BEHIND_DRAFTS && BEHIND_DRAFTS < UPLOADS);
    }
}
