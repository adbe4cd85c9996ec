//! Request keys make two equal requests one: a client's task id, or an `Idempotency-Key`.
//!
//! A key is written with the entry that it led to. An `Idempotency-Key` is kept for 24 hours, a
//! task id until 24 hours after the end of its run. A key outlives a purge, so it has ids and
//! digests alone, and the first reply is built again from the session.

use std::time::Duration;

use session::{OwnerId, TaskId, Timestamp, digest};

use crate::dynamo::item::{Item, from_item};
use crate::dynamo::keys;
use crate::error::ReadError;
use crate::{RequestKeyItem, SessionManager};

/// How long a key is kept after its use, or after the end of the run that it led to.
pub(crate) const KEY_TTL: Duration = Duration::from_secs(24 * 3600);

const TASK: &str = "task";

/// A client's key for a request. It has digests of the client's texts, and no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    owner: OwnerId,
    scope: String,
    key: String,
    request: String,
}

impl RequestKey {
    /// A task id. Two requests are the same when their tasks have the same text.
    pub fn task(owner: OwnerId, task_id: &TaskId, task: &str) -> Self {
        Self {
            owner,
            scope: TASK.into(),
            key: task_id.digest.clone(),
            request: digest(&[task]),
        }
    }

    /// An `Idempotency-Key` of one path. Two requests are the same when their bodies are equal.
    pub fn idempotency(owner: OwnerId, path: &str, key: &str, body: &str) -> Self {
        Self {
            owner,
            // A digest, because a path has no length limit.
            scope: digest(&[path]),
            key: digest(&[key]),
            request: digest(&[body]),
        }
    }

    /// Whether the stored key was used by the same request.
    pub fn is_same_request(&self, used: &RequestKeyItem) -> bool {
        self.request == used.request
    }

    /// Whether the key expires 24 hours after its use, and not after the end of a run.
    pub(crate) fn expires_after_use(&self) -> bool {
        self.scope != TASK
    }

    pub(crate) fn request(&self) -> &str {
        &self.request
    }

    pub(crate) fn key(&self) -> Item {
        let pk = keys::request_key(&self.owner, &self.scope, &self.key);
        keys::key(pk, keys::META)
    }

    /// The partition key of a task id's digest.
    pub(crate) fn task_pk(owner: &OwnerId, task_key: &str) -> String {
        keys::request_key(owner, TASK, task_key)
    }
}

impl SessionManager {
    /// The session and run that a key led to, unless the key has expired. The session may have been
    /// deleted since.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn request_key(
        &self,
        key: &RequestKey,
        now: Timestamp,
    ) -> Result<Option<RequestKeyItem>, ReadError> {
        let Some(item) = self.get(key.key()).await? else {
            return Ok(None);
        };
        let used: RequestKeyItem = from_item("request key", item)?;
        Ok(Some(used).filter(|used| used.is_valid(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> OwnerId {
        OwnerId::of("issuer", "ada")
    }

    #[test]
    fn a_key_contains_no_text_of_the_client() {
        let key = RequestKey::idempotency(ada(), "/api/sessions", "my#key", "{}");
        let pk = key.key()["PK"].as_s().unwrap().clone();
        assert!(!pk.contains("my#key") && pk.starts_with(&format!("KEY#{}#", ada())));
        assert_eq!(pk.matches('#').count(), 3);
    }

    #[test]
    fn path_owner_and_key_tell_keys_apart() {
        let key = |owner, path, key| RequestKey::idempotency(owner, path, key, "{}").key();
        let one = key(ada(), "/a", "1");
        assert_eq!(one, key(ada(), "/a", "1"));
        assert_ne!(one, key(ada(), "/b", "1"));
        assert_ne!(one, key(ada(), "/a", "2"));
        assert_ne!(one, key(OwnerId::of("issuer", "bob"), "/a", "1"));
    }

    #[test]
    fn a_task_keys_partition_follows_from_the_digest_in_the_state() {
        let task_id = TaskId {
            text: "mine".into(),
            digest: digest(&["mine"]),
        };
        let key = RequestKey::task(ada(), &task_id, "do it");
        let pk = RequestKey::task_pk(&ada(), &task_id.digest);
        assert_eq!(key.key(), keys::key(pk, keys::META));
        assert!(!key.expires_after_use());
    }
}
