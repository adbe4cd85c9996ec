//! The files of sessions in the bucket. Each session has one folder, `<owner>/<session>/`.
//!
//! The folder begins with the owner, so files of two owners cannot collide, and a purge finds all
//! files of a session by its prefix. An event refers to an artifact by name only. The bucket's
//! listing is the only record of which files exist. An upload exists as soon as its object does. A
//! read never takes more bytes than its caller allows.

mod content_type;
mod error;
mod key;
mod link;
mod list;
mod path;
mod purge;
mod read;
mod text;
mod write;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
pub use session::{ArtifactName, InvalidName};
use session::{OwnerId, SessionId};

pub use content_type::{ContentType, InvalidContentType};
pub use error::ArtifactError;
pub use key::{ArtifactKey, InvalidPlace};
pub use link::{LINK_TIME, MAX_UPLOAD_BYTES, UploadLink};
pub use list::{Listed, Listing};
pub use path::FilePath;
pub use text::TextBeginning;

/// The bucket that holds the files of sessions.
#[derive(Debug, Clone)]
pub struct Artifacts {
    client: Client,
    name: String,
}

impl Artifacts {
    /// The files in this bucket.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            name: bucket.into(),
        }
    }

    /// The files of one session. The caller has checked that the session belongs to the owner. For
    /// any other pair the folder is empty.
    pub fn of(&self, owner: &OwnerId, session: SessionId) -> SessionFiles {
        SessionFiles {
            bucket: self.clone(),
            folder: format!("{owner}/{session}/"),
        }
    }

    fn list(&self) -> ListObjectsV2FluentBuilder {
        self.client.list_objects_v2().bucket(&self.name)
    }
}

/// The files of one session.
#[derive(Debug, Clone)]
pub struct SessionFiles {
    bucket: Artifacts,
    folder: String,
}

impl SessionFiles {
    fn key(&self, place: &ArtifactKey) -> String {
        format!("{}{place}", self.folder)
    }

    /// The file of this session that a bucket key refers to; none for any other key.
    fn place(&self, key: &str) -> Option<ArtifactKey> {
        key.strip_prefix(&self.folder)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_begins_with_the_owner_and_then_the_session() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let owner = OwnerId::of("https://issuer", "ada");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest());
        let bucket = Artifacts::new(Client::from_conf(config.build()), "bucket");
        let files = bucket.of(&owner, id.parse().unwrap());
        let task = ArtifactKey::Run(id.parse().unwrap(), "task.txt".parse().unwrap());
        let key = files.key(&task);
        assert_eq!(key, format!("{owner}/{id}/{id}/task.txt"));
        assert_eq!(files.place(&key), Some(task));
        assert_eq!(files.place(&key.replace(owner.as_str(), "other")), None);
    }
}
