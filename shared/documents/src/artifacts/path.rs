//! The path by which a client names a file of any of its sessions: `<session>/<run>/<name>` or
//! `<session>/uploads/<name>`.
//!
//! A path is no key of the bucket. It has no owner: its reader reads the session's owner first, and
//! looks for the file in the folder of that owner and session. A name has no separator, so a path
//! has one meaning and cannot leave the session's folder.

use std::fmt;
use std::str::FromStr;

use session::SessionId;

use super::{ArtifactKey, InvalidPlace};

/// A file of a session that clients see: an artifact of a run, or an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePath {
    /// The session.
    pub session: SessionId,
    /// The file within it; never a draft.
    pub key: ArtifactKey,
}

impl FromStr for FilePath {
    type Err = InvalidPlace;

    fn from_str(path: &str) -> Result<Self, InvalidPlace> {
        let (session, key) = path.split_once('/').ok_or(InvalidPlace)?;
        let session = session.parse().map_err(|_| InvalidPlace)?;
        match key.parse()? {
            ArtifactKey::Draft(..) => Err(InvalidPlace),
            key => Ok(Self { session, key }),
        }
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.session, self.key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    #[test]
    fn a_path_names_a_file_of_a_run_or_an_upload_of_a_session() {
        for path in [
            format!("{ID}/{ID}/a b.md"),
            format!("{ID}/{ID}/answer.md"),
            format!("{ID}/uploads/ü.pdf"),
            format!("{ID}/uploads/%2e%2e%2f"),
        ] {
            let read: FilePath = path.parse().unwrap();
            assert_eq!(read.session.to_string(), ID);
            assert_eq!(read.to_string(), path);
        }
    }

    #[test]
    fn nothing_but_a_path_is_read_as_one() {
        for path in [
            String::new(),
            "/".into(),
            "/etc/passwd".into(),
            "uploads/a".into(),
            ID.into(),
            format!("{ID}/"),
            format!("{ID}/{ID}"),
            format!("{ID}/{ID}/"),
            format!("/{ID}/{ID}/a"),
            format!("{ID}//{ID}/a"),
            format!("{ID}/{ID}//a"),
            format!("{ID}/{ID}/.."),
            format!("{ID}/{ID}/../a"),
            format!("{ID}/{ID}/a/b"),
            format!("{ID}/{ID}/a\\b"),
            format!("{ID}/{ID}/a\0"),
            format!("{ID}/../{ID}/uploads/a"),
            format!("{ID}/uploads/../{ID}/a"),
            format!("{ID}/uploads%2fa"),
            format!("{ID}%2fuploads%2fa"),
            format!("{ID}/drafts/{ID}/a"),
            format!("owner/{ID}/{ID}/a"),
            format!("{}/{ID}/a", ID.to_uppercase()),
            format!("{ID}/{ID}/a\n"),
            format!(" {ID}/{ID}/a"),
            format!("s3://bucket/{ID}/{ID}/a"),
        ] {
            assert_eq!(path.parse::<FilePath>(), Err(InvalidPlace), "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(
            path in "(01890a5d-ac96-774b-bcce-b302099a8057|uploads|drafts|\\.\\.|\\PC{0,3})(/(01890a5d-ac96-774b-bcce-b302099a8057|uploads|drafts|\\.\\.|\\PC{0,3})){0,4}"
        ) {
            if let Ok(read) = path.parse::<FilePath>() {
                prop_assert_eq!(read.to_string(), path);
            }
        }
    }
}
