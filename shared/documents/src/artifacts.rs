//! The files of sessions in the bucket, one folder `<owner>/<session>/` each.
//!
//! The folder begins with the owner, so that nobody's file can stand in another's place, and a purge finds all that a
//! session has by it. An event points to an artifact by name alone. The bucket's listing is the one truth about what there
//! is: an upload is there when the file is there, and nothing else knows. No more is ever read than a caller takes.

mod content_type;
mod error;
mod key;
mod link;
mod list;
mod name;
mod purge;
mod read;
mod write;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use session::{OwnerId, SessionId};

pub use content_type::{ContentType, InvalidContentType};
pub use error::ArtifactError;
pub use key::{ArtifactKey, InvalidPlace};
pub use link::{LINK_TIME, MAX_UPLOAD_BYTES, UploadLink};
pub use list::{Listed, Listing};
pub use name::{ArtifactName, InvalidName};

/// The bucket, as far as files of sessions go.
#[derive(Debug, Clone)]
pub struct Artifacts {
    client: Client,
    name: String,
}

impl Artifacts {
    /// Files in this bucket.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            name: bucket.into(),
        }
    }

    /// The files of one session. The caller has made sure that it is the owner's: a folder that is nobody's is empty.
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

    /// What a key of the bucket stands for, if it is a file of this session.
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
